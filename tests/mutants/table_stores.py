"""Guards of document stores, of moving and collecting, of endpoints and of key epochs."""

from __future__ import annotations

from tests.mutants.mutant import CHAIN, EDGES, FLOWS, Mutant

STAGED = "tests/conformance/documents/test_staged_store.py::"
KEEPING = "tests/integration/test_keeping.py::"
ENDPOINTS = CHAIN + "test_endpoints.py::"
STORES = (
    Mutant(
        "store-length",
        "an answer that broke off is not taken for a damaged blob",
        EDGES + "documents/staged.py",
        "    if length_bytes < served.length_bytes:\n",
        "    if False:\n",
        STAGED + "test_read_fewer_bytes_than_announced_raises_unavailable_not_damaged",
    ),
    Mutant(
        "store-digest",
        "bytes from a server are hashed before the last of them leave",
        EDGES + "documents/staged.py",
        "    if hasher.digest() != address:\n",
        "    if False:\n",
        STAGED + "test_read_other_bytes_raises_and_gives_none_of_the_last_chunk",
    ),
    Mutant(
        "store-damaged",
        "a damaged blob that stands there already is not acknowledged",
        EDGES + "documents/staged.py",
        " and not self._is_intact(blob.address):\n            self._server.replace",
        " and False:\n            self._server.replace",
        STAGED + "test_sync_damaged_blob_there_already_is_replaced",
    ),
    Mutant(
        "bucket-absent",
        "a bucket's object is put only where none is",
        EDGES + "documents/s3.py",
        'mode="create"',
        'mode="overwrite"',
        STAGED + "test_put_if_absent_bucket_never_writes_over_what_is_there",
    ),
    Mutant(
        "spool-lock",
        "what a living process has waiting is not removed by another",
        EDGES + "documents/spool.py",
        "                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)\n",
        "",
        STAGED + "test_open_spool_removes_what_dead_processes_left_and_nothing_of_living_ones",
    ),
    Mutant(
        "joined-again",
        "a document that moved between two looks is found",
        EDGES + "documents/joined.py",
        "for store in (self.first, *self.others, self.first):\n            try:",
        "for store in (self.first, *self.others):\n            try:",
        KEEPING + "test_read_joined_moved_between_two_looks_is_found",
    ),
    Mutant(
        "move-durable",
        "a document leaves its old store only when the new one holds it durably",
        FLOWS + "keeping.py",
        "        target.sync()\n",
        "",
        KEEPING + "test_move_documents_broken_off_anywhere_loses_nothing_and_is_taken_up_again",
    ),
    Mutant(
        "collect-day",
        "a blob without a row is kept for a day",
        FLOWS + "keeping.py",
        "GARBAGE_AGE = timedelta(days=1)",
        "GARBAGE_AGE = timedelta(0)",
        KEEPING + "test_collect_documents_garbage_goes_after_a_day_and_what_is_needed_stays",
    ),
    Mutant(
        "collect-received",
        "documents of a received release are nobody's garbage",
        FLOWS + "keeping.py",
        "    return [each for each in rest if each not in received]\n",
        "    return rest\n",
        KEEPING
        + "test_collect_documents_received_release_keeps_its_documents_until_its_key_is_gone",
    ),
    Mutant(
        "collect-halt",
        "nothing is collected while a halt stands",
        FLOWS + "keeping.py",
        "        demand_no_halt(tx)\n",
        "        del tx\n",
        KEEPING + "test_collect_documents_while_a_halt_stands_is_refused",
    ),
    Mutant(
        "endpoint-history",
        "an endpoint with another final block contradicts",
        EDGES + "chain/endpoints.py",
        "                if block.hash != final[1]:\n",
        "                if False:\n",
        ENDPOINTS + "test_fail_over_to_another_history_is_refused_and_latches_a_halt",
        "T8",
    ),
    Mutant(
        "endpoint-lag",
        "an endpoint below our final block is not followed",
        EDGES + "chain/endpoints.py",
        "                if block is None:\n                    return None\n",
        "                if block is None:\n                    return endpoint.fetch_head()\n",
        ENDPOINTS + "test_fail_over_endpoint_below_our_final_block_is_passed_over_until_it_has_it",
        "T8",
    ),
    Mutant(
        "endpoint-standing-by",
        "endpoints that stand by are compared too",
        EDGES + "chain/endpoints.py",
        "        if self._is_compare_due():\n",
        "        if False:\n",
        ENDPOINTS + "test_compare_standing_by_contradicts_latches_while_the_first_is_well",
        "T8",
    ),
    Mutant(
        "silent-receipt",
        "a receipt of another history does not vouch for missing logs",
        FLOWS + "following.py",
        " or outcome.block_hash not in hashes:",
        ":",
        ENDPOINTS + "test_follow_receipt_of_another_history_is_not_believed",
        "T8",
    ),
    Mutant(
        "epoch-due",
        "an epoch of wrapping keys ends when it is old",
        EDGES + "keys/key_store.py",
        "        if now_s - seen_at_s < age.total_seconds():\n",
        "        if True:\n",
        "tests/conformance/keys/test_key_store_port.py::"
        "test_rotate_epoch_when_due_counts_from_when_the_epoch_was_first_seen",
    ),
)
