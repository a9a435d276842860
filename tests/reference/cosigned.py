"""Cosigned checkpoints as C2SP tlog-cosignature describes them, slow and obvious.

Shares no code with ledger_node.
"""

import base64
import hashlib


class Line:
    """A signature line; `cosigned_at_s` is None where it is a log's own."""

    def __init__(self, line):
        dash, self.name, encoded = line.split(" ")
        assert dash == "\u2014"
        data = base64.b64decode(encoded, validate=True)
        self.key_id = data[:4]
        self.cosigned_at_s = int.from_bytes(data[4:12], "big") if len(data) == 76 else None
        self.signature = data[-64:]

    def compute_key_id(self, public_key):
        kind = b"\x01" if self.cosigned_at_s is None else b"\x04"
        return hashlib.sha256(self.name.encode() + b"\n" + kind + public_key).digest()[:4]

    def cosigned(self, text):
        """What a cosigner signs."""
        return b"cosignature/v1\ntime " + str(self.cosigned_at_s).encode() + b"\n" + text


class Note:
    """A checkpoint with its lines; `text` is what the log signs."""

    def __init__(self, data):
        text, tail = data.decode().split("\n\n")
        self.text = (text + "\n").encode()
        self.origin, size, root = text.split("\n")
        self.size, self.root = int(size), base64.b64decode(root, validate=True)
        self.lines = [Line(line) for line in tail.removesuffix("\n").split("\n")]


def parse_cosigned(data):
    """Read a cosigned checkpoint."""
    return Note(bytes(data))
