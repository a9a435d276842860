"""Named guard mutants (T25): a guard taken out, and the test that must notice.

`docs/mutants.md` is written from this table. A mutant changes one place, which its snippet names
exactly once in the file.
"""

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

MUTANTS = (
    # core: tree, bytes, disclosures
    Mutant(
        "leaf-prefix",
        "a leaf is hashed with its own prefix, so that no node can be read as a leaf",
        CORE + "merkle.py",
        'b"\\x00" + entry).digest())',
        "entry).digest())",
        UNIT + "test_merkle.py::test_hash_leaf_and_children_equal_reference_and_never_each_other",
        "T13",
        quick=True,
    ),
    Mutant(
        "inclusion-proof-length",
        "an inclusion proof has exactly the length that index and size give",
        CORE + "merkle.py",
        "    _demand_hashes(proof, compute_inclusion_proof_length(leaf_index, tree_size))\n",
        "",
        UNIT + "test_merkle.py::"
        "test_every_proof_of_every_tree_up_to_64_verifies_and_three_damages_fail",
        "T13",
    ),
    Mutant(
        "inclusion-root",
        "an inclusion proof ends in the tree head's root",
        CORE + "merkle.py",
        "if root != tree_head.root:",
        "if False:",
        UNIT + "test_merkle.py::test_verify_inclusion_mismatch_carries_both_roots",
        "T13",
    ),
    Mutant(
        "consistency-old-root",
        "a consistency proof starts from the old root",
        CORE + "merkle.py",
        "if old_root != old_head.root:",
        "if False:",
        UNIT + "test_merkle.py::test_verify_consistency_new_root_and_old_root_are_both_checked",
        "T13",
    ),
    Mutant(
        "canonical-reencode",
        "what was parsed is encoded again and has to be the same bytes",
        CORE + "canonical.py",
        "if encode_canonical(value) != data:",
        "if False:",
        UNIT + "test_canonical.py::test_parse_canonical_refusal_says_what_is_wrong",
        "T15",
        quick=True,
    ),
    Mutant(
        "unknown-member",
        "an object with a member nobody knows is refused",
        CORE + "canonical.py",
        "if value.keys() != set(names):",
        "if not set(names) <= value.keys():",
        "tests/fuzz/test_parsers.py::"
        "test_parser_quick_fuzz_raises_only_ledger_errors[core.release_fetch.parse_answer_fetch]",
        "T15",
    ),
    Mutant(
        "entry-length",
        "an entry is exactly 34 bytes",
        CORE + "entry.py",
        "if len(data) != ENTRY_BYTES:",
        "if len(data) < ENTRY_BYTES:",
        "tests/fuzz/test_parsers.py::"
        "test_parser_quick_fuzz_raises_only_ledger_errors[core.entry.parse_entry]",
        "T15",
    ),
    Mutant(
        "disclosure-digest",
        "a disclosed value has the digest the statement holds at its position",
        CORE + "statement.py",
        "if computed != digests[position]:",
        "if False:",
        UNIT + "test_statement.py::test_verify_showing_any_flipped_bit_fails",
        "T5",
    ),
    Mutant(
        "statement-commitment",
        "the digests shown are those of the committed statement",
        CORE + "statement.py",
        "if computed != commitment:",
        "if False:",
        UNIT + "test_statement.py::test_verify_showing_any_flipped_bit_fails",
        "T5",
    ),
    Mutant(
        "file-signature",
        "a receipt's body is signed as a whole",
        CORE + "signed_body.py",
        "        Ed25519PublicKey.from_public_bytes(key_id.key).verify(\n"
        "            signature, compute_signed_message(version, unsigned)\n"
        "        )\n",
        "        Ed25519PublicKey.from_public_bytes(key_id.key)\n",
        UNIT + "test_receipts.py",
        "T5",
    ),
    Mutant(
        "note-signature",
        "a checkpoint counts only with a signature that holds",
        CORE + "signed_note.py",
        "        _verify_signature(key, note.text, line.signature)\n",
        "",
        UNIT + "test_keys_and_notes.py::test_verify_note_any_flipped_bit_fails",
    ),
    # core: messages, grants, releases
    Mutant(
        "message-one-of-each",
        "each signature header stands exactly once",
        CORE + "message.py",
        "            if name.lower() in fields:\n",
        "            if False:\n",
        UNIT + "test_exchange_vectors.py",
    ),
    Mutant(
        "message-body",
        "the body is the one that was signed",
        CORE + "message.py",
        "if not body or not hmac.compare_digest(computed, message.body_digest):",
        "if not body:",
        UNIT + "test_exchange_vectors.py",
        quick=True,
    ),
    Mutant(
        "message-components",
        "every component of the profile is covered by the signature",
        CORE + "message.py",
        "message, max_age=None, expect_tag=TAG, require_components=components",
        "message, max_age=None, expect_tag=TAG",
        UNIT + "test_exchange_vectors.py",
    ),
    Mutant(
        "grant-revoked",
        "a revoked grant allows no release",
        CORE + "grant.py",
        "    if grant.revoked:\n        return Refusal.GRANT_REVOKED\n    expected = (",
        "    expected = (",
        UNIT + "test_grant.py::test_decide_release_grant_link_broken_refuses",
        quick=True,
    ),
    Mutant(
        "grant-receiver",
        "only the receiving city of the terms may ask",
        CORE + "grant.py",
        "if terms.receiving != deciding.requester:",
        "if False:",
        UNIT + "test_grant.py::test_decide_release_city_link_broken_refuses",
    ),
    Mutant(
        "grant-fields-on-chain",
        "every field the chain recorded equals the terms",
        CORE + "grant.py",
        "    if recorded != expected:\n",
        "    if recorded[0] != expected[0]:\n",
        UNIT + "test_grant.py::test_decide_release_grant_link_broken_refuses",
    ),
    Mutant(
        "grant-window-end",
        "the end of the window is outside of it",
        CORE + "grant.py",
        "if block_timestamp_s >= terms.not_after_s:",
        "if block_timestamp_s > terms.not_after_s:",
        UNIT + "test_grant.py::test_decide_release_city_link_broken_refuses",
    ),
    Mutant(
        "other-persons-material",
        "a material of another person is refused, and like an unknown one",
        CORE + "grant.py",
        "if subject_tag not in held.subject_tags:",
        "if False:",
        UNIT + "test_grant.py::"
        "test_decide_release_other_persons_material_looks_like_an_unknown_one",
    ),
    Mutant(
        "answer-after-permit",
        "no state before CONFIRMED lets an answer out",
        CORE + "release.py",
        "        _OE.TX_DROPPED: _O.CONSUME_SIGNED,\n",
        "        _OE.TX_DROPPED: _O.CONSUME_SIGNED,\n        _OE.ANSWER_SENT: _O.SENT,\n",
        UNIT + "test_release_states.py::test_outgoing_answer_leaves_only_after_the_permit_is_final",
    ),
    Mutant(
        "release-salt",
        "the release commitment is salted",
        CORE + "release.py",
        'framed = b"tongban/release/v1\\n" + salt + request_digest + answer_digest',
        'framed = b"tongban/release/v1\\n" + request_digest + answer_digest',
        UNIT + "test_release_states.py::test_compute_release_commitment_equals_reference",
    ),
    Mutant(
        "permit-for-these-bytes",
        "the permit is for exactly this request and answer",
        CORE + "release_check.py",
        "if permit.release_commitment != computed:",
        "if False:",
        UNIT + "test_exchange_vectors.py",
    ),
    # edges
    Mutant(
        "document-digest",
        "a document is written out only when its plaintext digest is right",
        EDGES + "documents/age_sealer.py",
        "            _demand_digest(_decrypt(store, address, secret, _HashedTarget(fd)), digest)\n",
        "            _decrypt(store, address, secret, _HashedTarget(fd))\n",
        "tests/conformance/documents/test_document_port.py::"
        "test_unseal_wrong_secret_or_digest_writes_nothing",
        "T5",
        quick=True,
    ),
    Mutant(
        "received-document-digest",
        "a received document is the one the statement holds the digest of",
        EDGES + "documents/age_sealer.py",
        "        _demand_digest(_decrypt(store, address, secret, _HashedTarget(None)), digest)\n",
        "        _decrypt(store, address, secret, _HashedTarget(None))\n",
        STEPS + "test_document_swapped_at_the_issuer_ends_rejected",
        "T5",
    ),
    Mutant(
        "wrapped-key-name",
        "a wrapped key opens only under its own name",
        EDGES + "keys/key_store.py",
        'epoch.to_bytes(8, "big") + name.encode()',
        'epoch.to_bytes(8, "big")',
        "tests/conformance/keys/test_key_spec.py::test_put_all_wraps_as_documented",
        "T5",
    ),
    Mutant(
        "synchronous",
        "an acknowledged commit is synced",
        EDGES + "database/engine.py",
        '"PRAGMA synchronous=FULL"',
        '"PRAGMA synchronous=OFF"',
        "tests/integration/test_durability.py::"
        "test_register_one_after_the_other_syncs_every_store_for_every_receipt",
        "T4",
    ),
    Mutant(
        "tile-replaced",
        "a tile that is there is never replaced",
        EDGES + "tiles/directory.py",
        "if not self._is_there(target, path, tiles[path])",
        "if True",
        "tests/conformance/tiles/test_tile_directory.py::"
        "test_put_all_syncs_every_file_and_every_directory_once",
    ),
    Mutant(
        "release-compare-and-swap",
        "a release moves only from the state it was read in",
        EDGES + "database/releases.py",
        "                releases.c.state == before.state,\n",
        "",
        "tests/conformance/database/test_releases_group.py::"
        "test_advance_release_from_a_state_it_left_changes_nothing",
    ),
    # flows
    Mutant(
        "receipt-after-commit",
        "a registration is acknowledged only after its commit",
        FLOWS + "intake.py",
        "            errors = commit_prepared(",
        "            errors = (lambda *given: threading.Thread(target=commit_prepared, args=given,"
        " daemon=True).start() or [None] * len(batch))(",
        "tests/integration/test_kill.py",
        "T3",
    ),
    Mutant(
        "signed-bytes-sent-again",
        "transaction bytes that were stored and not sent are sent after a restart",
        FLOWS + "outbox.py",
        "    waiting = [after for _, after in pairs if after.state is TxState.SIGNED]\n",
        "    waiting: list[OutboxRow] = []\n",
        WINDOW + "test_record_then_revoke_fail_at_a_boundary_restart_does_each_once",
        "T1",
    ),
    Mutant(
        "same-bytes-again",
        "what may have been sent is sent again as the same bytes, never signed anew",
        FLOWS + "releasing.py",
        "    if row.state == OutgoingState.ANSWERED:\n        try:\n",
        "    if row.state in (OutgoingState.ANSWERED, *_IN_FLIGHT):\n        try:\n",
        CRASHES + "test_release_fails_at_a_boundary_of_each_city_restart_releases_once",
        "T1",
    ),
    Mutant(
        "reverted-is-not-done",
        "a transaction that reverted finally has failed",
        FLOWS + "outbox.py",
        "event = TxEvent.FINALITY_REACHED if outcome.succeeded else TxEvent.REVERT_FINAL",
        "event = TxEvent.FINALITY_REACHED",
        CHAIN + "test_outbox.py::"
        "test_resume_outbox_final_revert_is_failed_and_anchoring_tries_anew",
        "T7",
    ),
    Mutant(
        "answer-of-another-question",
        "an endpoint's answer belongs to the question with its id",
        EDGES + "chain/rpc.py",
        '    if question_id is None or answer.get("id") != question_id:\n',
        "    if False:\n",
        CHAIN + "test_rpc_answers.py",
        "T7",
    ),
    Mutant(
        "reorganisation-below-finality",
        "a block that was final and is replaced latches a halt",
        FLOWS + "following.py",
        "    if fork < tip.final_number:\n",
        "    if False:\n",
        CHAIN + "test_reorgs.py::test_follow_reorg_below_finality_halts_until_a_person_decides",
        "T8",
    ),
    Mutant(
        "changed-hash-is-a-fork",
        "a stored block whose hash changed is rolled back",
        FLOWS + "following.py",
        "            if stored.get(number) == block.hash:\n",
        "            if number in stored:\n",
        CHAIN + "test_reorgs.py::test_follow_reorg_above_finality_rolls_back_and_anchors_once",
        "T8",
    ),
    Mutant(
        "logs-complete",
        "a block whose logs are incomplete is not taken in",
        FLOWS + "following.py",
        "        if not _is_complete(block, logs):\n            logs = node",
        "        if False:\n            logs = node",
        CHAIN + "test_following_messy.py",
        "T9",
    ),
    Mutant(
        "permit-final-before-sending",
        "an answer leaves only when its own consumption is final",
        FLOWS + "releasing.py",
        "    if permit is not None and permit.grant_id == row.grant_id:\n",
        "    if sent is not None:\n",
        STEPS + "test_answer_is_not_given_before_its_permit_is_final",
        "T11",
    ),
    Mutant(
        "reason-is-followed",
        "why the chain refused is said only once it is followed",
        FLOWS + "releasing.py",
        "        if sent.block_number is not None and sent.block_number > followed:\n",
        "        if False:\n",
        STEPS + "test_consume_refused_on_chain_says_why_once_that_is_followed",
    ),
    Mutant(
        "revoked-after-permit",
        "an answer is not given any more after a revocation",
        FLOWS + "releasing.py",
        "        if tx.chain.find_revocation(row.grant_id) is not None:\n"
        "            return Refusal.GRANT_REVOKED\n"
        "        grant = tx.chain.find_grant(row.grant_id)\n",
        "        grant = tx.chain.find_grant(row.grant_id)\n",
        STEPS + "test_release_revoked_on_its_way_ends_refused",
        "T11",
    ),
    Mutant(
        "one-release-per-request",
        "the same request twice at once is one release",
        FLOWS + "releasing.py",
        "    except RowConflictError:\n        return _reload(node, row)\n",
        "    except RowConflictError:\n        raise\n",
        STEPS + "test_accept_request_twice_at_once_is_one_release",
    ),
    Mutant(
        "acknowledgement-kept",
        "an acknowledgement that lost a race is tried again",
        FLOWS + "releasing.py",
        "    if not moved:  # another process",
        "    if False:  # another process",
        STEPS + "test_acknowledgement_that_races_with_the_end_of_the_window_is_kept",
    ),
    Mutant(
        "refused-acknowledgement",
        "a city that refuses an acknowledgement does not stop the one that sent it",
        FLOWS + "receiving.py",
        'warning("acknowledgement_refused", city=node.city, code=code)\n        return row\n',
        'warning("acknowledgement_refused", city=node.city, code=code)\n        raise\n',
        STEPS + "test_refused_acknowledgement_does_not_stop_the_city_and_is_sent_again",
    ),
    # api
    Mutant(
        "nonce-stored",
        "a message acts once",
        "api/deps.py",
        "    if not new:\n",
        "    if False:\n",
        API + "test_find_sent_twice_is_refused_and_a_new_nonce_is_not",
    ),
    Mutant(
        "host-never-read",
        "the address that is verified is the node's own registered one",
        "api/deps.py",
        "HttpRequest(request.method, runtime.registered_url(), path, headers)",
        "HttpRequest(request.method, f\"http://{request.headers['host']}\", path, headers)",
        API + "test_find_signed_for_another_address_is_refused_whatever_host_says",
    ),
    Mutant(
        "body-limit",
        "no more of a body is read than a message may have",
        "api/deps.py",
        "if len(received) > MAX_BODY_BYTES:",
        "if False:",
        API + "test_message_over_its_limit_is_refused_before_it_is_read_whole",
    ),
    Mutant(
        "errors-contained",
        "what an unexpected error says reaches no log",
        "api/app.py",
        "    app.add_middleware(ContainErrors)\n",
        "    app.add_exception_handler(Exception, on_ledger_error)\n",
        API + "test_unexpected_error_is_500_without_a_word_of_it",
    ),
    Mutant(
        "directory-by-stranger",
        "a stranger's question makes no directory",
        "ledger_node/wiring.py",
        "        if not path.is_dir():",
        "        if False:",
        API + "test_log_of_a_generation_that_is_not_there_makes_no_directory",
    ),
    # contracts
    Mutant(
        "consume-counts",
        "a use is counted",
        "contracts/Grants.sol",
        "        _grants[terms].usesLeft = usesLeft;\n",
        "",
        GATE_MODEL,
        "T10",
    ),
    Mutant(
        "terms-once",
        "terms seen once are refused for ever",
        "contracts/Grants.sol",
        "        if (_grants[terms].state != UNKNOWN) revert GrantsTermsSeen(terms);\n",
        "",
        GATE_MODEL,
        "T10",
    ),
    Mutant(
        "release-commitment-once",
        "a release commitment is consumed once",
        "contracts/Grants.sol",
        "if (releaseUsed[releaseCommitment]) revert",
        "if (releaseUsed[terms]) revert",
        GATE_MODEL,
        "T10",
    ),
    Mutant(
        "consume-after-revocation",
        "a revoked grant is never consumed",
        "contracts/Grants.sol",
        "        grant.state = REVOKED;\n",
        "",
        "tests/contracts/test_forge.py::test_forge_invariants_hold",
        "T14",
    ),
    Mutant(
        "anchor-consistent",
        "a new head extends the one the contract holds",
        "contracts/CityLog.sol",
        "            Rfc6962.verifyConsistency(heldSize, newSize, heldRoot, newRoot, proof);\n",
        "",
        "tests/contracts/test_forge.py::test_forge_invariants_hold",
        "T14",
    ),
    # who may do what
    Mutant(
        "default-deny",
        "an application with a route that carries no mark does not start",
        "api/access.py",
        "        if len(marks) != 1:\n",
        "        if len(marks) > 1:\n",
        ACCESS + "test_marks.py::test_build_app_route_without_mark_does_not_start",
        "T17",
    ),
    Mutant(
        "permission",
        "a route opens only for roles that have its permission",
        "api/access.py",
        "        if not principal.may(self.permission):\n",
        "        if False:\n",
        MATRIX + "test_every_route_and_role_opens_for_whom_it_is_marked_and_nobody_else",
        "T17",
    ),
    Mutant(
        "session-scope",
        "a session of one visit opens that visit and nothing else",
        "api/access.py",
        "if principal.scope is not None and not is_below(request.url.path, principal.scope):",
        "if False:",
        MATRIX + "test_every_route_outside_its_visit_refuses_a_session_of_one_visit",
        "T17",
    ),
    Mutant(
        "form-token",
        "a change carries the form token of its session",
        "api/access.py",
        "    if not matches_csrf_token(token, given):\n",
        "    if False:\n",
        MATRIX + "test_every_change_from_elsewhere_or_without_the_form_token_is_refused",
        "T18",
    ),
    Mutant(
        "origin",
        "a change comes from a page of this node",
        "api/access.py",
        '    if request.headers.get("origin") != runtime.settings.origin:\n',
        "    if False:\n",
        MATRIX + "test_every_change_from_elsewhere_or_without_the_form_token_is_refused",
        "T18",
    ),
    Mutant(
        "host",
        "a session counts only under the host of its pages",
        "api/access.py",
        'if not token or request.headers.get("host") != urlsplit(runtime.settings.origin).netloc:',
        "if not token:",
        SESSIONS + "test_session_under_another_host_is_nobody",
        "T17",
    ),
    Mutant(
        "second-factor",
        "a role that wants a second factor opens nothing without one",
        "api/access.py",
        "    if roles & SECOND_FACTOR and not second_factor:\n",
        "    if False:\n",
        MATRIX + "test_every_guarded_route_refuses_a_session_without_its_second_factor",
        "T17",
    ),
    Mutant(
        "one-time-code-once",
        "a one-time code counts once",
        "ledger_node/edges/database/accounts.py",
        "accounts.c.account_id == account_id, accounts.c.totp_step < step",
        "accounts.c.account_id == account_id",
        SESSIONS + "test_code_counts_once_and_only_near_its_time",
        "T17",
    ),
    Mutant(
        "lockout",
        "five wrong answers lock an account",
        FLOWS + "accounts.py",
        "    if lock.is_locked(now) or row.disabled_at is not None:\n",
        "    if row.disabled_at is not None:\n",
        SESSIONS + "test_lock_after_five_wrong_answers_holds_for_its_time",
        "T17",
    ),
    Mutant(
        "unknown-login-time",
        "an unknown login costs the time of a known one",
        FLOWS + "accounts.py",
        "if row and row.password_hash else _decoy(), password)",
        'if row and row.password_hash else "", password)',
        SESSIONS + "test_verify_credentials_unknown_login_costs_the_time_of_a_known_one",
        "T17",
    ),
    Mutant(
        "session-idle-end",
        "a session that nobody uses ends",
        FLOWS + "sessions.py",
        "return now < row.expires_at and now - row.seen_at < IDLE",
        "return now < row.expires_at",
        SESSIONS + "test_session_ends_when_idle_and_is_kept_by_use",
        "T17",
    ),
    Mutant(
        "session-absolute-end",
        "a session ends at its absolute end however much it is used",
        FLOWS + "sessions.py",
        "return now < row.expires_at and now - row.seen_at < IDLE",
        "return now - row.seen_at < IDLE",
        SESSIONS + "test_session_ends_at_its_absolute_end_however_used",
        "T17",
    ),
    Mutant(
        "change-ends-sessions",
        "whoever is switched off or given other roles is signed out at once",
        FLOWS + "administering.py",
        "        tx.accounts.end_sessions_of(account_id)\n",
        "",
        ACCESS + "test_admin_pages.py::"
        "test_new_person_is_made_by_one_administrator_and_let_in_by_another",
        "T17",
    ),
    Mutant(
        "roles-together",
        "the three administrators are three persons",
        "ledger_node/core/access.py",
        "    if not held or (len(held) > 1 and not held <= STAFF_AT_WINDOWS):\n",
        "    if not held:\n",
        UNIT + "test_access.py::test_demand_compatible_only_window_roles_go_together",
        "T17",
    ),
    Mutant(
        "own-roles",
        "an administrator does not change what the own account may do",
        FLOWS + "administering.py",
        "    if account_id == by:\n",
        "    if False:\n",
        ACCESS + "test_admin_pages.py::test_own_account_is_not_for_the_security_administrator",
        "T17",
    ),
    Mutant(
        "id-token-nonce",
        "an ID token answers the nonce it was asked with",
        CORE + "id_token.py",
        '    _demand(matches and expected.nonce != "", "nonce")\n',
        "",
        UNIT + "test_id_token.py::test_verify_id_token_wrong_claim_is_refused_with_its_reason",
    ),
    Mutant(
        "sign-in-same-browser",
        "a sign-in at a provider ends in the browser that began it",
        FLOWS + "identity.py",
        "    if not hmac.compare_digest(row.browser_hash, _hash(browser_token)):\n",
        "    if False:\n",
        IDENTITY + "test_callback_in_another_browser_is_refused",
    ),
    Mutant(
        "issuer-origin",
        "an endpoint that a discovery document puts elsewhere is never contacted",
        "ledger_node/edges/identity/client.py",
        "        if not isinstance(url, str) or not is_same_origin(url, provider.issuer):\n",
        "        if not isinstance(url, str):\n",
        IDENTITY + "test_provider_that_redirects_or_names_another_address_is_not_followed",
        "T19",
    ),
    Mutant(
        "leaver",
        "a session ends when the provider refuses to renew it",
        FLOWS + "identity.py",
        "            tx.accounts.end_session(row.session_hash)\n",
        "            pass\n",
        IDENTITY + "test_leaver_is_signed_out_at_the_next_check_and_others_are_not",
    ),
    # auditor explorer and verification page
    Mutant(
        "replay-fence",
        "who lost a replay's job changes nothing any more",
        EDGES + "database/replays.py",
        "                worker.is_(None) if before.worker is None else worker == before.worker,\n",
        "",
        "tests/conformance/database/test_replays_group.py::"
        "test_advance_replay_by_who_lost_the_job_changes_nothing",
    ),
    Mutant(
        "one-open-replay",
        "at most one replay is open",
        EDGES + "database/replays.py",
        '"open_slot": 1 if row.state in OPEN_REPLAYS else None',
        '"open_slot": None',
        "tests/conformance/database/test_replays_group.py::"
        "test_save_replay_second_open_one_conflicts_until_the_first_has_ended",
    ),
    Mutant(
        "csv-formula",
        "no exported cell can be taken for a formula",
        "api/pages/event_rows.py",
        "text.startswith(_FORMULA_STARTS)",
        "False",
        "tests/unit/pages/test_event_rows.py::test_escape_cell_formula_is_shown_and_never_run",
    ),
    Mutant(
        "verify-chain-in-doubt",
        "no verdict on the facts of a chain that contradicts itself",
        FLOWS + "verifying.py",
        "            _demand_no_chain_halt(tx)\n",
        "",
        "tests/integration/way/test_verifying.py::"
        "test_verify_brought_receipt_chain_in_doubt_gives_no_verdict_but_a_trust_file_does",
    ),
    Mutant(
        "verify-document-compared",
        "a document that is brought is compared with the receipt",
        FLOWS + "verifying.py",
        "receipt, trusted, document=document, sensitive_types",
        "receipt, trusted, document=None, sensitive_types",
        "tests/integration/way/test_verifying.py::test_verify_brought_receipt_document_is_compared",
    ),
    Mutant(
        "verify-rate",
        "one address cannot ask the verification page without end",
        "api/routes/verify.py",
        "    get_limits(request).count(None, address)\n",
        "",
        "tests/integration/way/test_verifying.py::"
        "test_verify_page_address_that_asks_too_often_waits",
        "T20",
    ),
    Mutant(
        "brought-cap",
        "a file larger than its cap is refused while it arrives",
        "api/brought.py",
        "if self.sizes[self.name] > cap:",
        "if False:",
        "tests/integration/way/test_verifying.py::"
        "test_verify_page_document_larger_than_the_setting_is_refused",
        "T20",
    ),
)
