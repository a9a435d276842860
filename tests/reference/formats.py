"""Byte formats as docs/spec describes them, slow and obvious: the oracle for the core.

Shares no code with ledger_node and none of its libraries for JSON, base64url or HKDF; Ed25519 is
written out after RFC 8032.
"""

import base64
import hashlib
from functools import cache


def jcs(value):
    """RFC 8785 bytes; integers only."""
    if value is None or isinstance(value, bool):
        return {None: b"null", True: b"true", False: b"false"}[value]
    if isinstance(value, int):
        return str(value).encode()
    if isinstance(value, str) and value.isprintable() and not {'"', "\\"} & set(value):
        return b'"' + value.encode() + b'"'
    if isinstance(value, str):
        return b'"' + b"".join(_escape(char) for char in value) + b'"'
    if isinstance(value, list):
        return b"[" + b",".join(jcs(item) for item in value) + b"]"
    names = sorted(value, key=lambda name: name.encode("utf-16-be"))
    return b"{" + b",".join(jcs(name) + b":" + jcs(value[name]) for name in names) + b"}"


def _escape(char):
    short = {
        "\b": b"\\b",
        "\t": b"\\t",
        "\n": b"\\n",
        "\f": b"\\f",
        "\r": b"\\r",
        '"': b'\\"',
        "\\": b"\\\\",
    }
    if char in short:
        return short[char]
    return b"\\u%04x" % ord(char) if ord(char) < 0x20 else char.encode()


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def b64(data):
    return base64.b64encode(data).decode()


def b64url(data):
    return base64.b64encode(data, altchars=b"-_").decode().replace("=", "")


def disclosure(salt, name, value):
    return b64url(jcs([b64url(salt), name, value]))


def commitment(kind, origin, salt, body):
    return sha256(f"tongban/{kind}/v1\n{origin}\n".encode(), salt, sha256(jcs(body)))


def statement_commitment(origin, digests):
    head = f"tongban/statement/v1\n{origin}\n".encode()
    return sha256(head, bytes([len(digests) // 256, len(digests) % 256]), *digests)


def hmac_sha256(key, message):
    """RFC 2104; keys up to 64 bytes."""
    block = key + bytes(64 - len(key))
    inner = bytes(b ^ 0x36 for b in block)
    outer = bytes(b ^ 0x5C for b in block)
    return sha256(outer, sha256(inner, message))


def hkdf32(salt, secret, info):
    """RFC 5869, 32 bytes of output."""
    return hmac_sha256(hmac_sha256(salt, secret), info + b"\x01")


def bech32(prefix, data):
    """BIP 173, bit by bit."""
    alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
    bits = "".join(f"{byte:08b}" for byte in data)
    bits += "0" * (-len(bits) % 5)
    digits = [int(bits[at : at + 5], 2) for at in range(0, len(bits), 5)]
    head = [ord(c) // 32 for c in prefix] + [0] + [ord(c) % 32 for c in prefix]
    check = 1
    for digit in [*head, *digits, 0, 0, 0, 0, 0, 0]:
        top = check // 2**25
        check = check % 2**25 * 32 ^ digit
        for i, g in enumerate([0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3]):
            if top // 2**i % 2:
                check ^= g
    check ^= 1
    digits += [check // 32**i % 32 for i in (5, 4, 3, 2, 1, 0)]
    return prefix + "1" + "".join(alphabet[digit] for digit in digits)


# Ed25519 after RFC 8032 section 5.1, affine and slow.
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
BASE = (
    15112221349535400772501151409588531511454012693041857206046113283949847762202,
    46316835694926478169428394003475163141307993866256225615783033603165251855960,
)


def _add(a, b):
    (x1, y1), (x2, y2) = a, b
    k = D * x1 * x2 * y1 * y2 % P
    x = (x1 * y2 + x2 * y1) * pow(1 + k, -1, P) % P
    y = (y1 * y2 + x1 * x2) * pow(1 - k, -1, P) % P
    return x, y


@cache
def _doubled(times):
    """2^times BASE."""
    return BASE if times == 0 else _add(_doubled(times - 1), _doubled(times - 1))


def _multiply_base(n):
    result = (0, 1)
    for times in range(n.bit_length()):
        if n >> times & 1:
            result = _add(result, _doubled(times))
    return result


def _compress(point):
    x, y = point
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _secret_scalar(seed):
    digest = hashlib.sha512(seed).digest()
    scalar = int.from_bytes(digest[:32], "little")
    return scalar & (2**254 - 8) | 2**254, digest[32:]


@cache
def ed25519_public(seed):
    return _compress(_multiply_base(_secret_scalar(seed)[0]))


def ed25519_sign(seed, message):
    scalar, prefix = _secret_scalar(seed)
    public = ed25519_public(seed)
    r = int.from_bytes(hashlib.sha512(prefix + message).digest(), "little") % L
    point = _compress(_multiply_base(r))
    k = int.from_bytes(hashlib.sha512(point + public + message).digest(), "little") % L
    return point + ((r + k * scalar) % L).to_bytes(32, "little")


def key_id(name, public):
    return sha256(name.encode(), b"\n\x01", public)[:4]


def vkey(name, public):
    return f"{name}+{key_id(name, public).hex()}+{b64(bytes([1]) + public)}"


def signature_line(name, public, signature):
    return f"\u2014 {name} {b64(key_id(name, public) + signature)}\n"


def note(text, name, seed):
    public = ed25519_public(seed)
    return text + "\n" + signature_line(name, public, ed25519_sign(seed, text.encode()))


def checkpoint(origin, size, root):
    return f"{origin}\n{size}\n{b64(root)}\n"
