"""Guards of the catalogue, its votes, the days and clocks of cases, and the consequences."""

from __future__ import annotations

from tests.mutants.mutant import CORE, EDGES, FLOWS, UNIT, Mutant

CATALOGUE_UNIT = UNIT + "test_catalogue.py::"
CONTRACT = "tests/contracts/test_catalogue.py::"
SHEETS = UNIT + "test_catalogue_sheets.py::"
BREACH = UNIT + "test_replay.py::test_replay_breach_is_named_and_located"

CATALOGUE = (
    Mutant(
        "catalogue-unknown-member",
        "a member a row does not have is refused",
        CORE + "catalogue_rows.py",
        "    for name in sorted(value.keys() - readers.keys() - {*besides}):\n",
        "    for name in ():\n",
        CATALOGUE_UNIT + "test_parse_catalogue_vector_has_exactly_the_named_findings",
    ),
    Mutant(
        "catalogue-basis-in-force",
        "a need's basis row is in force as long as the item is",
        CORE + "catalogue_check_items.py",
        "    elif not _covers(basis, item):",
        "    elif False:",
        CATALOGUE_UNIT + "test_parse_catalogue_vector_has_exactly_the_named_findings",
    ),
    Mutant(
        "catalogue-direction",
        "a directed list lets one side accept and the other decide",
        CORE + "catalogue_check_items.py",
        '        return each.receiving if name == "accept" else each.deciding\n',
        "        return catalogue.places(each.members)\n",
        CATALOGUE_UNIT + "test_parse_catalogue_vector_has_exactly_the_named_findings",
    ),
    Mutant(
        "catalogue-errors-refuse",
        "a catalogue with an error is no catalogue",
        CORE + "catalogue_format.py",
        "    refuse_errors(check_catalogue(catalogue))\n",
        "",
        CATALOGUE_UNIT + "test_parse_catalogue_vector_has_exactly_the_named_findings",
    ),
    Mutant(
        "list-document-own",
        "a list's document holds its own items only",
        CORE + "catalogue_list.py",
        "if code in each.lists",
        "if each.lists",
        CATALOGUE_UNIT + "test_compute_list_digest_changes_with_its_own_list_only",
    ),
    Mutant(
        "sheet-no-formula",
        "text that begins with = is written as text",
        EDGES + "sheets.py",
        '    written.data_type = "s"\n',
        "",
        SHEETS + "test_write_spreadsheet_text_never_becomes_a_formula",
    ),
    Mutant(
        "sheet-row",
        "a finding names the row as a person sees it",
        CORE + "catalogue_sheets.py",
        "enumerate(sheet[1:], start=2)",
        "enumerate(sheet[1:], start=1)",
        SHEETS + "test_read_sheets_bent_cell_is_named",
    ),
    Mutant(
        "asks-fewest",
        "no paper is asked for that another one makes needless",
        CORE + "asks.py",
        "    rest = [need for need in needs if not set(need) & set(chosen)]\n",
        "    rest = list(needs)\n",
        UNIT + "test_asks.py::test_choose_fewest_every_small_world_is_as_small_as_can_be",
    ),
    Mutant(
        "home-outside-lists",
        "a case goes to a home that a list joins with the accepting city, to no other",
        CORE + "jurisdiction.py",
        "    if home != accepting and not _is_joined(catalogue, item, accepting, home, on):\n",
        "    if False:\n",
        UNIT + "test_jurisdiction.py::test_list_deciding_cities_home_unknown_or_outside_is_typed",
    ),
    Mutant(
        "days-estimated",
        "a count that touches an unannounced year is estimated",
        CORE + "working_days.py",
        "            estimated = estimated or not calendar.is_announced(day)\n            count -=",
        "            count -=",
        UNIT + "test_working_days.py::test_add_working_days_into_an_unannounced_year_is_estimated",
    ),
    Mutant(
        "days-worked-weekend",
        "a weekend day that is worked counts",
        CORE + "working_days.py",
        "        if table is not None and day in table.worked:\n            return True\n",
        "",
        UNIT + "test_working_days.py::"
        "test_is_working_day_agrees_with_the_notice_on_every_day_of_the_year",
    ),
    Mutant(
        "clock-deemed",
        "a completion asked too late does not undo the acceptance",
        CORE + "case_clock.py",
        "            if not course.deemed:\n",
        "            if True:\n",
        UNIT + "test_case_clock.py::"
        "test_compute_clocks_completion_asked_too_late_does_not_undo_the_acceptance",
    ),
    Mutant(
        "clock-paused",
        "days of a suspension do not count",
        CORE + "case_clock.py",
        "accepted_on, days + sum(each.days for each in counts))\n",
        "accepted_on, days)\n",
        UNIT + "test_case_clock.py::test_compute_clocks_suspension_does_not_count",
    ),
    Mutant(
        "consequence-copy",
        "of several changes the strictest decides about the copy",
        CORE + "consequence.py",
        "for each in (_K.DESTROY, _K.KEEP_FILED, _K.KEEP) if each in copies",
        "for each in (_K.KEEP, _K.KEEP_FILED, _K.DESTROY) if each in copies",
        UNIT + "test_consequence.py::"
        "test_decide_consequence_of_any_changes_is_the_gravest_and_the_strictest_copy",
    ),
    Mutant(
        "consequence-stage",
        "what a withdrawal means follows the stage of the case it was released for",
        FLOWS + "affected.py",
        "        if known:\n            return CaseStage(known[0].stage)\n",
        "",
        "tests/integration/way/test_watching.py::"
        "test_withdraw_reaches_chain_then_the_city_that_received_it",
    ),
    Mutant(
        "edition-votes-replayed",
        "a replay counts the votes of an edition again",
        CORE + "replay_catalogue.py",
        "    if count.yes < count.needed:\n",
        "    if False:\n",
        BREACH,
    ),
    Mutant(
        "edition-concerned-replayed",
        "a replay names a vote of a city the list does not concern",
        CORE + "replay_catalogue.py",
        "    if listed.parties and city not in listed.parties:\n",
        "    if False:\n",
        BREACH,
    ),
    Mutant(
        "edition-list-id",
        "a list is found by rule, code and parties",
        CORE + "catalogue_list.py",
        "    return keccak(words + text + _encode_tail(packed))\n",
        "    return keccak(words + text)\n",
        CATALOGUE_UNIT + "test_compute_list_id_is_that_of_the_contract",
    ),
    # contracts
    Mutant(
        "edition-concerned",
        "only a city concerned proposes, votes and publishes",
        "contracts/Catalogue.sol",
        "        revert CatalogueNotConcerned(list, city);\n",
        "",
        CONTRACT + "test_call_by_a_city_not_concerned_is_refused",
    ),
    Mutant(
        "edition-every-party",
        "a bilateral list takes every party",
        "contracts/Catalogue.sol",
        "needed = named.kind == ListRule.Consortium ? (2 * standing + 2) / 3 : cities.length;",
        "needed = (2 * standing + 2) / 3;",
        CONTRACT + "test_publish_pair_with_a_suspended_party_is_refused",
    ),
    Mutant(
        "edition-in-the-future",
        "an edition never counts before it was published, nor before the one it follows",
        "contracts/Catalogue.sol",
        "if (effectiveFrom < earliest) revert CatalogueTooEarly",
        "if (effectiveFrom == 0) revert CatalogueTooEarly",
        "tests/contracts/test_forge.py::test_forge_invariants_hold",
        "T14",
    ),
    Mutant(
        "edition-code-text",
        "a list's code is text every database takes",
        "contracts/Catalogue.sol",
        "if (!letter && !other) revert CatalogueBadCode();",
        "if (!letter && other) revert CatalogueBadCode();",
        CONTRACT + "test_propose_bad_code_is_refused",
    ),
)
