"""Guards of what is printed."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

PAPERS_ROOM = "ledger_node/papers/"
DRAWN = "tests/unit/papers/test_papers.py::"
CASE = "tests/integration/cases/test_case_papers.py::"

PAPERS = (
    Mutant(
        "paper-glyphs",
        "a character the font lacks is refused, not printed as a box",
        PAPERS_ROOM + "sheet.py",
        "        if missing:\n            raise GlyphMissingError",
        "        if False:\n            raise GlyphMissingError",
        DRAWN + "test_character_the_font_lacks_is_refused_and_named",
    ),
    Mutant(
        "paper-qr-private",
        "a QR code carries no name, number or whole code",
        PAPERS_ROOM + "values.py",
        " or any(hits):",
        ":",
        DRAWN + "test_consent_code_whole_in_the_qr_code_is_refused",
    ),
    Mutant(
        "paper-roll-filed",
        "what is sealed and filed is not made on a roll",
        PAPERS_ROOM + "service.py",
        "    demand_a4(paper, PAPER)\n",
        "",
        DRAWN + "test_papers_that_are_filed_are_not_made_on_a_roll",
    ),
    Mutant(
        "paper-remedy",
        "a refusal names its remedies",
        PAPERS_ROOM + "refusal.py",
        "    if not (decision.remedy.review_body and decision.remedy.court):",
        "    if False:",
        DRAWN + "test_facts_that_make_no_paper_are_refused",
    ),
    Mutant(
        "paper-masked",
        "numbers stand masked on the papers of a case",
        "api/pages/case_papers.py",
        "mask_number(person.number)",
        "person.number",
        CASE + "test_acceptance_notice_tells_of_the_case",
    ),
    Mutant(
        "paper-due",
        "no paper of a step that was not taken",
        "api/pages/case_papers.py",
        "    if step is None:\n        raise PaperNotDueError\n",
        "",
        CASE + "test_paper_before_its_step_is_refused_with_its_reason",
    ),
)
