"""What a named guard mutant is, and the places the tables name."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    """One guard removed.

    Attributes:
        name: Short and unique.
        guard: What is no longer kept.
        file: Path from the root of the repository.
        snippet, replacement: Text that occurs once, and what stands there instead.
        test: Node id that must fail.
        trial: Tests of quality.md section 2 it belongs to, for example `T13`.
        quick: Whether `make test` runs it; the others run in full mode.
    """

    name: str
    guard: str
    file: str
    snippet: str
    replacement: str
    test: str
    trial: str = ""
    quick: bool = False


CORE = "ledger_node/core/"
FLOWS = "ledger_node/flows/"
EDGES = "ledger_node/edges/"
UNIT = "tests/unit/core/"
CONSENT = "tests/integration/consent/"
CHAIN = "tests/integration/chain/"
EXCHANGE = "tests/integration/exchange/"
CRASHES = EXCHANGE + "test_crashes.py::"
WINDOW = EXCHANGE + "test_crashes_window.py::"
STEPS = EXCHANGE + "test_steps.py::"
API = EXCHANGE + "test_peer_api.py::"
ACCESS = "tests/integration/access/"
MATRIX = ACCESS + "test_matrix.py::"
SESSIONS = ACCESS + "test_sessions.py::"
IDENTITY = ACCESS + "test_identity.py::"
GATE_MODEL = "tests/model/test_gate.py::test_gate_model_quick_run_agrees_with_the_contract"
