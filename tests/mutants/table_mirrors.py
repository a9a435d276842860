"""Guards of mirrors, cosignatures, findings and recoveries (T24)."""

from __future__ import annotations

from tests.mutants.mutant import CORE, FLOWS, UNIT, Mutant

MIRRORS_AT = "tests/integration/mirrors/"
MIRRORS = (
    Mutant(
        "mirror-edge",
        "the partial tiles of a mirrored log lead to the anchored root",
        CORE + "mirror.py",
        "    if root != head.root:\n",
        "    if False:\n",
        UNIT + "test_mirror.py::test_copy_files_of_another_log_are_refused",
        "T24",
    ),
    Mutant(
        "mirror-below",
        "a tile or entry bundle is what the tile above it says before it is kept",
        CORE + "mirror.py",
        "    if found != expected:\n",
        "    if False:\n",
        UNIT + "test_mirror.py::test_copy_any_file_damaged_anywhere_is_refused",
        "T24",
    ),
    Mutant(
        "mirror-extends",
        "a mirrored head continues the one mirrored before",
        CORE + "mirror.py",
        "    if root != old.root:\n",
        "    if False:\n",
        UNIT + "test_mirror.py::"
        "test_verify_extends_other_history_is_refused_where_every_file_fits_the_new_head",
        "T24",
    ),
    Mutant(
        "cosigner-type-byte",
        "a cosigner's key id has its own type byte",
        CORE + "cosignature.py",
        "ALGORITHM_COSIGNATURE = 0x04",
        "ALGORITHM_COSIGNATURE = 0x01",
        UNIT + "test_cosignature.py::"
        "test_verify_line_of_a_public_witness_holds_and_fails_for_another_head",
        "T24",
    ),
    Mutant(
        "cosignature-checked",
        "a cosignature is checked, not only read",
        CORE + "cosignature.py",
        "        public_key.verify(body[TIMESTAMP_BYTES:], message)\n",
        "",
        UNIT + "test_cosignature.py::test_every_flipped_bit_of_a_cosigned_checkpoint_is_refused",
        "T24",
    ),
    Mutant(
        "cosignature-origin",
        "a cosignature of another log counts for none",
        CORE + "cosignature.py",
        "    if checkpoint.origin != origin:\n",
        "    if False:\n",
        UNIT + "test_cosignature.py::test_verify_cosignature_vector_has_named_outcome",
        "T24",
    ),
    Mutant(
        "cosign-after-fork",
        "nothing of a log is cosigned while a fork stands against it",
        CORE + "witness.py",
        "    if any(kind in LATCHED for kind in standing):\n        return False\n",
        "",
        UNIT + "test_witness.py::test_may_cosign_only_upwards_and_never_while_a_fork_stands",
        "T24",
    ),
    Mutant(
        "cosign-upwards",
        "nothing smaller is cosigned after something larger",
        CORE + "witness.py",
        "    return head.size > largest\n",
        "    return True\n",
        UNIT + "test_witness.py::test_may_cosign_only_upwards_and_never_while_a_fork_stands",
        "T24",
    ),
    Mutant(
        "fork-latched",
        "a fork is ended by a person only",
        CORE + "witness.py",
        "known - found.keys() - LATCHED,",
        "known - found.keys(),",
        MIRRORS_AT + "test_mirroring.py::"
        "test_forked_log_is_never_cosigned_again_before_a_person_ended_it",
        "T24",
    ),
    Mutant(
        "fork-stops-releases",
        "no release is asked of a city whose log showed two histories",
        FLOWS + "receiving.py",
        "        demand_no_fork(tx, held.terms.releasing)\n",
        "        del tx\n",
        MIRRORS_AT + "test_mirroring.py::"
        "test_forked_log_is_never_cosigned_again_before_a_person_ended_it",
        "T24",
    ),
    Mutant(
        "late-by-the-chains-time",
        "nobody is late while the chain stands still",
        CORE + "witness.py",
        "seen.chain_now_s - first_seen_s > seen.promise_s",
        "seen.now_s - first_seen_s > seen.promise_s",
        UNIT + "test_witness.py::test_judge_log_finds_exactly",
        "T24",
    ),
    Mutant(
        "log-shrunk",
        "a log that serves less than it anchored or signed is found",
        FLOWS + "mirror_look.py",
        "        seen.troubles.append(Trouble(FindingKind.SHRUNK, detail))\n",
        "",
        MIRRORS_AT + "test_mirroring.py::"
        "test_shrunk_unanchored_log_is_found_by_what_it_signed_before",
        "T24",
    ),
    Mutant(
        "cosigned-head-anchored",
        "a member's cosignature counts only over a head that the chain holds",
        FLOWS + "witnessing.py",
        "or log.city == witness or anchored is None:",
        "or log.city == witness:",
        MIRRORS_AT + "test_witnessing.py::"
        "test_collect_cosignatures_keeps_only_what_the_members_key_says_of_an_anchored_head",
        "T24",
    ),
    Mutant(
        "witness-of-itself",
        "no city witnesses its own log",
        CORE + "witness.py",
        "    of = frozenset(good_standing) - {city}\n",
        "    of = frozenset(good_standing)\n",
        UNIT + "test_witness.py::"
        "test_count_witnesses_counts_members_in_good_standing_but_not_the_city_itself",
        "T24",
    ),
    Mutant(
        "light-of-old-state",
        "a state older than the item's rule bears is red",
        CORE + "freshness.py",
        "and age_s > rule.bearable_s:",
        "and age_s > 10 * rule.bearable_s:",
        UNIT + "test_freshness.py::test_decide_light",
        "T24",
    ),
    Mutant(
        "recovery-behind-mirrors",
        "an index that others saw signed is not given again after a restore",
        FLOWS + "recovering.py",
        "        if seen_size > held.size:\n",
        "        if False:\n",
        MIRRORS_AT + "test_recovering.py::"
        "test_restored_city_takes_its_entries_back_and_assigns_no_index_again",
        "T24",
    ),
    Mutant(
        "recovery-waits",
        "nothing is numbered while a member that may have seen more is silent",
        FLOWS + "recovering.py",
        "    if silent:\n",
        "    if False:\n",
        MIRRORS_AT + "test_recovering.py::"
        "test_restored_city_takes_its_entries_back_and_assigns_no_index_again",
        "T24",
    ),
    Mutant(
        "recovery-first",
        "a restored log takes its entries back before it is compared with the chain",
        "ledger_node/running.py",
        "        recover_log(self._node)\n",
        "",
        MIRRORS_AT + "test_recovering.py::"
        "test_restored_city_takes_its_entries_back_and_assigns_no_index_again",
        "T24",
    ),
)
