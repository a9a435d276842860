"""Guards of cases: handed in, moved, shown in another system's page, told back, reviewed."""

from __future__ import annotations

from tests.mutants.mutant import UNIT, Mutant

SYSTEMS = "tests/integration/cases/test_case_systems.py::"
OWN = "tests/integration/cases/test_own_cases.py::"
GROUP = "tests/conformance/database/test_cases_group.py::"
VECTORS = UNIT + "test_case_vectors.py::"

CASES = (
    # what another system hands in
    Mutant(
        "case-state-mapped",
        "a state without a row in the system's map is refused",
        "ledger_node/core/case.py",
        "        stage = self.stages.get(state)\n",
        "        stage = self.stages.get(state, CaseStage.RECEIVED)\n",
        VECTORS + "test_state_map_vector",
    ),
    Mutant(
        "case-transition",
        "a stage is left only by the events of its row",
        "ledger_node/core/case.py",
        "    after = TRANSITIONS[stage].get(event)\n",
        "    after = next(row[event] for row in TRANSITIONS.values() if event in row)\n",
        UNIT + "test_case.py::test_advance_case_moves_exactly_where_the_order_of_steps_allows",
    ),
    Mutant(
        "case-reason",
        "a step that is printed with its reason does not happen without one",
        "ledger_node/core/case.py",
        "    if event in REASON_NEEDED and not reason.strip():\n",
        "    if False:\n",
        UNIT + "test_case.py::test_event_that_needs_a_reason_is_refused_without_one",
    ),
    Mutant(
        "case-if-match",
        "who names a revision changes that revision or nothing",
        "ledger_node/flows/case_intake.py",
        "        if expected_revision is not None and (known is None or known.revision != "
        "expected_revision):\n",
        "        if False:\n",
        SYSTEMS + "test_put_case_same_content_again_changes_nothing",
    ),
    Mutant(
        "case-same-again",
        "the same content again changes nothing",
        "ledger_node/flows/case_intake.py",
        "        if known is not None and known.content_digest == digest:\n",
        "        if False:\n",
        SYSTEMS + "test_put_case_same_content_again_changes_nothing",
    ),
    Mutant(
        "case-our-stage",
        "while their state stays, what was decided here stays",
        "ledger_node/flows/case_intake.py",
        "    if known.their_state == draft.state:\n",
        "    if False:\n",
        SYSTEMS + "test_put_case_while_their_state_stays_keeps_our_stage",
    ),
    Mutant(
        "case-own-system",
        "a system reaches its own cases only",
        "api/routes/systems.py",
        "    if found is None or principal.system != system:\n",
        "    if found is None:\n",
        SYSTEMS + "test_put_case_of_another_system_is_not_found",
    ),
    Mutant(
        "case-compare-and-swap",
        "a case moves only from the revision it was read in",
        "ledger_node/edges/database/cases.py",
        "            cases.c.case_id == row.case_id, cases.c.revision == expected_revision\n",
        "            cases.c.case_id == row.case_id\n",
        GROUP + "test_update_case_from_an_older_revision_changes_nothing",
    ),
    # the panel
    Mutant(
        "panel-link-once",
        "a link to the panel works once",
        "ledger_node/edges/database/cases.py",
        "        if row is None or self._connection.execute(delete(case_links).where(where))"
        ".rowcount != 1:\n",
        "        if row is None:\n",
        SYSTEMS + "test_panel_link_opens_once_within_a_minute_without_personal_data",
    ),
    Mutant(
        "panel-link-minute",
        "a link to the panel works for a minute",
        "ledger_node/flows/cases.py",
        "    if row is None or node.clock.now() >= row.expires_at:\n",
        "    if row is None:\n",
        SYSTEMS + "test_panel_link_opens_once_within_a_minute_without_personal_data",
    ),
    Mutant(
        "panel-officer",
        "a link made for an officer who left opens nothing",
        "api/routes/systems.py",
        "    if system is None or account.disabled_at is not None or account.officer is None:\n",
        "    if system is None or account.officer is None:\n",
        SYSTEMS + "test_panel_shows_person_agent_and_item_and_is_the_officers_alone",
    ),
    Mutant(
        "panel-item",
        "the visit of a handed-in case has its item: nothing is asked twice",
        "ledger_node/flows/window_cases.py",
        "    item = draft.item if draft.item in catalogue.items else None\n",
        "    item = None\n",
        SYSTEMS + "test_panel_shows_person_agent_and_item_and_is_the_officers_alone",
    ),
    Mutant(
        "panel-parts",
        "inside a panel only consent and papers of its own visit open",
        "ledger_node/flows/window.py",
        "        return row.ceremony_id == part_id\n",
        "        return True\n",
        SYSTEMS + "test_panel_opens_the_consent_and_papers_of_its_visit_and_no_others",
    ),
    # events and folders
    Mutant(
        "case-event-signed",
        "an event is believed only with the city's signature",
        "ledger_node/demo/zongchuang/app.py",
        "fresh = hall.check.verify(headers, bytes(body), int(clock.now().timestamp()))\n"
        "            parse_case_event(bytes(body))\n",
        "fresh = True\n",
        SYSTEMS + "test_events_reach_the_simulated_system_which_verifies_them",
    ),
    Mutant(
        "case-event-redirect",
        "an event follows no redirect and counts only with a 2xx",
        "ledger_node/edges/case_systems/client.py",
        "        if not 200 <= status < 300:\n",
        "        if not 200 <= status < 400:\n",
        SYSTEMS + "test_events_refused_or_redirected_are_sent_again_and_pulled_by_cursor",
    ),
    Mutant(
        "case-event-receipt",
        "a receipt stands in an event exactly where one was filed",
        "ledger_node/core/case_event.py",
        '    filed = isinstance(value, dict) and value.get("event") == RECEIPT_FILED\n',
        '    filed = isinstance(value, dict) and "receipt" in value\n',
        VECTORS + "test_case_event_vector",
    ),
    Mutant(
        "case-events-in-order",
        "event ids appear in their order: a cursor steps over none",
        "ledger_node/edges/database/cases.py",
        "            self._connection.execute(select(func.pg_advisory_xact_lock(EVENTS_LOCK)))\n",
        "            pass\n",
        GROUP + "test_list_events_after_never_steps_over_an_event_committed_later",
    ),
    Mutant(
        "folder-symlink",
        "no link is followed in a watched folder",
        "ledger_node/edges/case_systems/folder.py",
        "os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK",
        "os.O_RDONLY | os.O_NONBLOCK",
        SYSTEMS + "test_folder_takes_whole_files_once_and_refuses_damaged_ones",
    ),
    Mutant(
        "folder-damaged-later",
        "a damaged file is given time: perhaps its writer is still at it",
        "ledger_node/flows/case_folder.py",
        "if not folders.was_quiet_since(file, node.clock.now().timestamp() - QUIET_S):\n",
        "if False:\n",
        SYSTEMS + "test_folder_takes_whole_files_once_and_refuses_damaged_ones",
    ),
    # cases of our own, and review
    Mutant(
        "case-serial",
        "a number is moved and read in one statement: each is given once",
        "ledger_node/edges/database/cases.py",
        'set_={"last": case_serials.c.last + 1}',
        'set_={"last": case_serials.c.last}',
        GROUP + "test_take_serial_under_concurrency_gives_every_number_once",
    ),
    Mutant(
        "case-decides",
        "who is registrar only decides nothing",
        "api/routes/cases.py",
        "    if event in DECIDES and not principal.may(Permission.DECISIONS_MAKE):\n",
        "    if False:\n",
        OWN + "test_registrar_cannot_decide_and_sends_to_a_reviewer_who_does",
    ),
    Mutant(
        "case-own-outlet",
        "a case is its outlet's, or whoever's who handles it",
        "api/routes/cases.py",
        "    if case.row.outlet != principal.outlet and case.row.account_id != "
        "principal.account_id:\n",
        "    if False:\n",
        OWN + "test_reviewer_of_another_outlet_reads_a_case_only_once_it_was_taken",
    ),
    Mutant(
        "review-taken-once",
        "of several reviewers one takes a case",
        "ledger_node/edges/database/cases.py",
        "        statement = delete(case_reviews).where(case_reviews.c.case_id == case_id)\n"
        "        return self._connection.execute(statement).rowcount == 1\n",
        "        statement = delete(case_reviews).where(case_reviews.c.case_id == case_id)\n"
        "        return self._connection.execute(statement).rowcount >= 0\n",
        GROUP + "test_reviews_wait_once_and_go_to_one_of_several",
    ),
    Mutant(
        "review-recalled-late",
        "a case that a reviewer took is not taken back",
        "ledger_node/flows/case_review.py",
        "    def withdraw(tx: Transaction) -> None:\n"
        "        if not tx.cases.drop_review(case_id):\n            raise ReviewTakenError\n",
        "    def withdraw(tx: Transaction) -> None:\n        tx.cases.drop_review(case_id)\n",
        OWN + "test_case_sent_to_review_is_taken_back_until_a_reviewer_took_it",
    ),
    Mutant(
        "review-decided-leaves",
        "a case that was decided waits for no review",
        "ledger_node/flows/cases.py",
        "            if CaseStage(row.stage) not in OPEN_STAGES:\n",
        "            if False:\n",
        OWN + "test_visit_without_papers_or_a_decided_case_cannot_be_sent",
    ),
    Mutant(
        "case-step-resumed",
        "a case whose visit ended is moved on by the loop",
        "ledger_node/running.py",
        "    resume_case_steps(reuse.node, load_catalogue())\n",
        "",
        OWN + "test_case_of_a_closed_visit_is_accepted_by_the_loop_once",
    ),
    Mutant(
        "case-of-visit-once",
        "a visit opens one case, whatever crashed in between",
        "ledger_node/flows/window_cases.py",
        "        case = open_case(node, draft, run.row.account_id, case_id=run.row.run_id)\n",
        "        case = open_case(node, draft, run.row.account_id)\n",
        OWN + "test_ensure_case_again_after_a_crash_finds_the_case_it_opened",
    ),
)
