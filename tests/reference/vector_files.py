"""What the topics share: turning a case into a vector file."""

import base64


def to_json(value):
    """Bytes to lower-case hex, inside lists and mappings too."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list):
        return [to_json(item) for item in value]
    if isinstance(value, dict):
        return {str(key): to_json(item) for key, item in value.items()}
    return value


def vector(folder, name, desc, want_error=None, /, **case):
    """(path, object) of one vector."""
    return f"{folder}/{name}.json", {**to_json(case), "desc": desc, "want_error": want_error}


def flip_bit(data, bit=0):
    """The bytes with one bit changed; bit counts from the first byte's lowest."""
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def reencode(text, change):
    """base64url text after `change` of the bytes behind it."""
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    return base64.urlsafe_b64encode(change(data)).decode().rstrip("=")


def stray_bits(text):
    """The text with its unused last bits set, if it has any: same bytes, other spelling."""
    pad = len(text) - len(text.rstrip("="))
    body = text.rstrip("=")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    alphabet += "-_" if set(body) & set("-_") else "+/"
    assert len(body) % 4 in (2, 3), "no unused bits"
    return body[:-1] + alphabet[alphabet.index(body[-1]) + 1] + "=" * pad
