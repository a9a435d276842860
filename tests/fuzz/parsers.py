"""Registry of parsers to fuzz (T15), filled by modules tests/fuzz/cases_<area>.py.

Each such module has `CASES`, a list of `ParserCase`. To add a parser: put a case into the module of
its area; `test_parsers.py` fails while a `parse_` function of the core has none.
"""

import importlib
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class ParserCase:
    """One parser under fuzz.

    Attributes:
        name: `<module below ledger_node>.<function>`, for example `core.entry.parse_entry`.
        kind: What the parser takes: `bytes`, `text`, `json` (canonical bytes of a JSON value) or
            `value` (a JSON value).
        parse: The parser; may close over fixed further arguments.
        seeds: Valid inputs, all of which must be accepted.
        encode: Writes what was parsed back in the form the parser takes; an accepted input must
            come back equal. None only where no writer exists; say why beside it.
    """

    name: str
    kind: str
    parse: Callable[[Any], object]
    seeds: Sequence[Any]
    encode: Callable[[Any], object] | None


def load_cases() -> list[ParserCase]:
    """Cases of all areas."""
    folder = Path(__file__).parent
    modules = [
        importlib.import_module(f"tests.fuzz.{path.stem}")
        for path in sorted(folder.glob("cases_*.py"))
    ]
    return [case for module in modules for case in module.CASES]


def make_inputs(case: ParserCase, count: int, seed: int) -> list[Any]:
    """The seeds and `count` inputs mutated from them; the same for the same arguments."""
    rng = random.Random(f"{case.name}/{seed}")
    mutate = {
        "bytes": mutate_bytes,
        "text": mutate_text,
        "json": _mutate_json,
        "value": mutate_value,
    }[case.kind]
    return [*case.seeds, *(mutate(rng.choice(case.seeds), rng, case.seeds) for _ in range(count))]


ODD_BYTES = [
    b"\x00",
    b"\xff",
    b"\n",
    b" ",
    b"=",
    b"+",
    b"/",
    b"-",
    b'"',
    b"\\",
    b"{",
    b"[",
    b"0",
    b"\xc3\xa9",
    b"\xed\xa0\x80",
    b"\r\n",
    b"\xef\xbb\xbf",
]


def mutate_bytes(data: bytes, rng: random.Random, seeds: Sequence[bytes]) -> bytes:
    """One to three small damages: flipped bits, cuts, doubled pieces, splices, odd bytes."""
    for _ in range(rng.choice((1, 1, 2, 3))):
        at = rng.randrange(len(data) + 1)
        to = min(len(data), at + rng.choice((1, 1, 2, 4, 32)))
        choice = rng.randrange(7)
        if choice == 0 and data:
            bit = rng.randrange(8 * len(data))
            flipped = data[bit // 8] ^ 1 << bit % 8
            data = data[: bit // 8] + bytes([flipped]) + data[bit // 8 + 1 :]
        elif choice == 1:
            data = data[:at]
        elif choice == 2:
            data = data[:at] + data[to:]
        elif choice == 3:
            data = data[:to] + data[at:]
        elif choice == 4:
            data = data[:at] + rng.choice(seeds)[at:]
        elif choice == 5:
            data = data[:at] + rng.choice(ODD_BYTES) + data[at:]
        else:
            data = data[:at] + rng.randbytes(to - at) + data[to:]
    return data


def mutate_text(text: str, rng: random.Random, seeds: Sequence[str]) -> str:
    """As `mutate_bytes`; bytes that are no UTF-8 become lone surrogates."""
    data = mutate_bytes(text.encode(), rng, [seed.encode() for seed in seeds])
    return data.decode("utf-8", "surrogateescape")


ODD_VALUES = [
    None,
    True,
    False,
    0,
    1,
    -1,
    2**53 - 1,
    "",
    "x",
    "结婚证",
    "0" * 64,
    "A" * 43,
    [],
    {},
    [[]],
    {"": None},
    ["a", 1],
    "2031-05-01",
]


def mutate_value(value: Any, rng: random.Random, seeds: Sequence[Any]) -> Any:
    """A JSON value with one place changed: replaced, dropped, added, or damaged text."""
    value = json.loads(json.dumps(value))
    places = list(_list_places(value))
    if not places or rng.random() < 0.05:
        return rng.choice(ODD_VALUES)
    parent, key = rng.choice(places)
    choice = rng.randrange(5)
    if choice == 0:
        del parent[key]
    elif choice == 1 and isinstance(parent, dict):
        parent[rng.choice(("extra", "", key + "x"))] = rng.choice(ODD_VALUES)
    elif choice == 1:
        parent.insert(key, rng.choice(ODD_VALUES))
    elif choice == 2 and isinstance(parent[key], str):
        parent[key] = mutate_bytes(parent[key].encode(), rng, [b""]).decode("utf-8", "replace")
    elif choice == 3 and isinstance(parent[key], int):
        parent[key] += rng.choice((-1, 1, -(2**32), 2**32))
    else:
        parent[key] = rng.choice(ODD_VALUES)
    return value


def _list_places(value: Any) -> Any:
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, item in items:
        yield value, key
        yield from _list_places(item)


def _mutate_json(data: bytes, rng: random.Random, seeds: Sequence[bytes]) -> bytes:
    """Half damaged bytes, half canonical bytes of a damaged value."""
    if rng.random() < 0.5:
        return mutate_bytes(data, rng, seeds)
    value = mutate_value(json.loads(data), rng, seeds)
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode("utf-8", "replace")
