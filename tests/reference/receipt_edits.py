"""Edits of the story of a receipt: each changes one step, as somebody who could would."""

from functools import cache

from tests.reference import exchange as x
from tests.reference import formats as f
from tests.reference import receipts as r
from tests.reference.vector_files import flip_bit


@cache
def happy():
    return r.Story()


FOREIGN = f.sha256(b"stolen")


def put(*path_and_value):
    """A change that sets one member deep inside."""
    *path, last, value = path_and_value

    def change(old):
        node = old
        for name in path:
            node = node[name]
        node[last] = value
        return old

    return change


def flip_hex(*path):
    """A change that flips one bit of a hex text."""

    def change(old):
        node = old
        for name in path[:-1]:
            node = node[name]
        node[path[-1]] = flip_bit(bytes.fromhex(node[path[-1]])).hex()
        return old

    return change


def both(*changes):
    def change(old):
        for each in changes:
            old = each(old)
        return old

    return change


def no_facts(trust):
    return trust | {"facts": None}


def drop(name, index):
    """Facts without one item."""

    def change(facts):
        return facts | {name: [each for at, each in enumerate(facts[name]) if at != index]}

    return change


def key_of(city, role, **changes):
    """Trust with one key changed."""

    def change(trust):
        member = next(each for each in trust["members"] if each["city"] == city)
        key = next(each for each in member["keys"] if each["role"] == role)
        key |= changes
        return trust

    return change


def with_status(flag, block):
    def change(facts):
        return facts | {"statuses": [happy().status(flag, block)]}

    return change


def add_status(flag, block):
    return lambda facts: facts | {"statuses": [*facts["statuses"], happy().status(flag, block)]}


def earlier(seconds):
    """Facts that end before the last block of the story."""
    return put("as_of", {"number": 10, "hash": "00" * 32, "timestamp": x.ANCHORED_AT - seconds})


def fields(**changes):
    return lambda old: [(name, changes.get(name, value)) for name, value in old]


def extra_disclosure(body):
    body["disclosed"][1]["text"] = f.disclosure(x.salt("false"), "document.0", r.DOCUMENT)
    return body


def misnamed(old):
    return [(name, value) if name != "valid_until" else ("valid_to", value) for name, value in old]


def swap_city(facts):
    facts["heads"][1]["city"] = x.RECEIVING
    facts["heads"].sort(key=lambda head: (head["city"], head["size"]))
    return facts


def other_officer(evidence):
    """The signature of somebody who never signed this."""
    signature = f.b64(x.sign(x.SEEDS["wang"], b"something else"))
    evidence["officers"][0]["signature"] = signature
    return evidence


def resealed(**changes):
    """A body edit of the decision; the relying city signs and logs it anew."""
    return lambda body: body | changes


def message_flip(name):
    def change(body):
        headers = body[name]["headers"]
        at = headers["signature"].index(":") + 1
        letter = "B" if headers["signature"][at] == "A" else "A"
        headers["signature"] = headers["signature"][:at] + letter + headers["signature"][at + 1 :]
        return body

    return change


def edit_opening(name, key, value):
    return put("openings", name, "body", key, value)


def credential_status(flag):
    return happy().status(flag, 60) | {"leaf_hash": x.credential_leaf("wang").hex()}


def opened_as_somebody(body):
    body["openings"]["subject"]["body"]["number"] = "510107200001010010"
    return body


OTHER_TERMS = x.terms(salt=x.salt("other terms").hex())
