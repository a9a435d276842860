"""T25: for each guard of the table, take it out in a copy and see its named test fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mutants.page import PAGE, render_page
from tests.mutants.table import MUTANTS, Mutant
from tests.mutants.tree import Tree
from tests.results import note_mutant

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]
TRIALS = {"T1", "T3", "T4", "T5", "T7", "T8", "T9", "T10", "T11", "T13", "T14", "T15"} | {
    "T17",
    "T18",
    "T19",
    "T20",
    "T21",
    "T24",
}
FAILED = 1  # pytest's exit code when tests ran and some failed


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    copy = Tree(tmp_path_factory.mktemp("mutants") / "copy")
    where = copy.run("-c", "import ledger_node; print(ledger_node.__file__)")
    assert where.stdout.startswith(str(copy.path)), where  # not the installed package
    return copy


@pytest.mark.parametrize(
    "mutant",
    [
        pytest.param(each, id=each.name, marks=() if each.quick else pytest.mark.slow)
        for each in MUTANTS
    ],
)
def test_guard_taken_out_is_noticed(tree: Tree, mutant: Mutant) -> None:
    with tree.mutated(mutant):
        done = tree.test([mutant.test])
    assert done.returncode == FAILED, done.stdout[-2000:] + done.stderr[-500:]
    file = mutant.test.partition("::")[0]
    assert f"FAILED {file}" in done.stdout, done.stdout[-2000:]  # and no fixture's error
    note_mutant(mutant.name)


def test_untouched_copy_passes_the_quick_mutants_tests(tree: Tree) -> None:
    done = tree.test([mutant.test for mutant in MUTANTS if mutant.quick])
    assert done.returncode == 0, done.stdout[-2000:]


@pytest.mark.slow
def test_untouched_copy_passes_the_other_mutants_tests(tree: Tree) -> None:
    done = tree.test(list(dict.fromkeys(mutant.test for mutant in MUTANTS if not mutant.quick)))
    assert done.returncode == 0, done.stdout[-2000:]


def test_table_names_a_mutant_for_every_trial_and_enough_in_all() -> None:
    assert {mutant.trial for mutant in MUTANTS if mutant.trial} == TRIALS
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS) >= 40
    assert sum(mutant.quick for mutant in MUTANTS) == 5


def test_every_snippet_stands_exactly_once() -> None:
    root = Path(__file__).resolve().parents[2]
    counts = {m.name: (root / m.file).read_text("utf-8").count(m.snippet) for m in MUTANTS}
    assert {name for name, count in counts.items() if count != 1} == set()


def test_page_is_fresh() -> None:
    assert PAGE.read_text("utf-8") == render_page(), "python -m tests.mutants.page writes it"
