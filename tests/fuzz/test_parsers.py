"""Every parser: only our errors leave it, and what it accepts it writes back the same (T15)."""

import ast
import json
import time
from pathlib import Path

import pytest

from ledger_node.core.errors import LedgerError
from tests.fuzz.parsers import load_cases, make_inputs

ROOT = Path(__file__).parents[2]
CASES = load_cases()
QUICK_INPUTS = 2_000
FULL_SECONDS = 90


def list_parsers():
    """Every public `parse_` function of the core, found in its source and not in the registry."""
    names = set()
    for path in (ROOT / "ledger_node" / "core").rglob("*.py"):
        module = ".".join(path.relative_to(ROOT / "ledger_node").with_suffix("").parts)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("parse_"):
                names.add(f"{module}.{node.name}")
    return names


def same(case, written, given):
    if case.kind == "value":  # True == 1 in Python, not in JSON
        return json.dumps(written, sort_keys=True) == json.dumps(given, sort_keys=True)
    return written == given


def check(case, given):
    """True if the input was accepted."""
    try:
        parsed = case.parse(given)
    except LedgerError:
        return False
    if case.encode is not None:
        assert same(case, case.encode(parsed), given), f"{given!r} came back otherwise"
    return True


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_parser_quick_fuzz_raises_only_ledger_errors(case):
    inputs = make_inputs(case, QUICK_INPUTS, seed=1)
    assert len(inputs) == QUICK_INPUTS + len(case.seeds)
    for seed in case.seeds:
        assert check(case, seed), f"the seed {seed!r} is refused"
    accepted = sum(check(case, given) for given in inputs)
    assert len(case.seeds) <= accepted < len(inputs), "nothing was refused: the fuzzer is blind"


@pytest.mark.slow
@pytest.mark.timeout(FULL_SECONDS + 60)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_parser_long_fuzz_raises_only_ledger_errors(case):
    end, seed = time.monotonic() + FULL_SECONDS, 2
    while time.monotonic() < end:
        for given in make_inputs(case, QUICK_INPUTS, seed):
            check(case, given)
        seed += 1


def test_every_parser_of_the_core_is_registered_once():
    names = [case.name for case in CASES]
    assert len(names) == len(set(names)) >= 15
    registered = {name for name in names if name.startswith("core.")}
    assert sorted(list_parsers() - registered) == [], "add a case in tests/fuzz/cases_<area>.py"
    parsers = {name for name in registered if name.rsplit(".", 1)[1].startswith("parse_")}
    assert sorted(parsers - list_parsers()) == []  # readers of parsed values may stand beside them
