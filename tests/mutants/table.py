"""Named guard mutants (T25): a guard taken out, and the test that must notice.

`docs/mutants.md` is written from these tables. A mutant changes one place, which its snippet names
exactly once in the file.
"""

from __future__ import annotations

from tests.mutants.mutant import Mutant
from tests.mutants.table_cases import CASES
from tests.mutants.table_consent import CONSENTS
from tests.mutants.table_evidence import EVIDENCE
from tests.mutants.table_ledger import LEDGER
from tests.mutants.table_mirrors import MIRRORS
from tests.mutants.table_papers import PAPERS
from tests.mutants.table_service import SERVICE
from tests.mutants.table_uploads import UPLOADS
from tests.mutants.table_verifier import SECOND_VERIFIER

__all__ = ["MUTANTS", "Mutant"]

MUTANTS = (
    *LEDGER, *MIRRORS, *EVIDENCE, *CONSENTS, *SERVICE, *CASES, *UPLOADS, *PAPERS, *SECOND_VERIFIER,
)  # fmt: skip
