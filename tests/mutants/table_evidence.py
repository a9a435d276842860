"""Guards of what a receipt carries: headers, seals, tries, logs, storage, exported proofs."""

from __future__ import annotations

from tests.mutants.mutant import CORE, UNIT, Mutant

EVIDENCE = (
    Mutant(
        "header-two-hashes",
        "what validators seal keeps the round that the block hash leaves out",
        CORE + "qbft.py",
        "round_ = extra.round if keep_round else 0",
        "round_ = 0",
        UNIT + "test_qbft.py::"
        "test_block_of_round_one_has_two_hashes_and_each_rule_serves_for_one_of_them",
        "T5",
    ),
    Mutant(
        "header-hash-round",
        "the block hash leaves the round out that the seals keep",
        CORE + "qbft.py",
        "round_ = extra.round if keep_round else 0",
        "round_ = extra.round",
        UNIT + "test_qbft.py::"
        "test_block_of_round_one_has_two_hashes_and_each_rule_serves_for_one_of_them",
        "T5",
    ),
    Mutant(
        "seals-enough",
        "two thirds of the trusted validators, rounded up, have to seal",
        CORE + "qbft.py",
        "if not trusted or len(seen) < needed:",
        "if not trusted:",
        UNIT + "test_qbft.py::test_verify_seals_two_of_four_are_too_few_and_three_suffice",
        "T5",
    ),
    Mutant(
        "seals-of-none",
        "no trusted validators are never enough",
        CORE + "qbft.py",
        "if not trusted or len(seen) < needed:",
        "if len(seen) < needed:",
        UNIT + "test_qbft.py::test_verify_seals_no_trusted_validators_is_never_enough",
        "T5",
    ),
    Mutant(
        "seal-foreign",
        "every seal present is by a trusted validator of that block",
        CORE + "qbft.py",
        "if signer not in trusted:",
        "if False:",
        UNIT + "test_qbft.py::"
        "test_verify_seals_foreign_validator_is_refused_even_beside_enough_others",
        "T5",
    ),
    Mutant(
        "seal-own-set",
        "the set in the header under test counts for nothing",
        CORE + "qbft.py",
        "trusted, seen = set(validators), set[Address]()",
        "trusted = set(parse_qbft_extra(header.extra_data).validators)\n    seen = set[Address]()",
        UNIT + "test_qbft.py::test_verify_seals_set_in_the_header_under_test_counts_for_nothing",
        "T5",
    ),
    Mutant(
        "seal-duplicated",
        "no validator seals twice, in either spelling of a signature",
        CORE + "qbft.py",
        "if signer in seen:",
        "if False:",
        UNIT + "test_qbft.py::test_verify_seals_duplicated_seal_is_refused_in_both_spellings",
        "T5",
    ),
    Mutant(
        "header-further-fields",
        "fields of later forks are under the hash",
        CORE + "block_header.py",
        "(*header.fields[:EXTRA_FIELD], extra_data, *header.fields[EXTRA_FIELD + 1 :])",
        "(*header.fields[:EXTRA_FIELD], extra_data, *header.fields[EXTRA_FIELD + 1 : 15])",
        UNIT + "test_qbft.py::"
        "test_verify_seals_header_with_fields_of_later_forks_keeps_them_under_both_hashes",
        "T5",
    ),
    Mutant(
        "trie-node-hash",
        "a node of a trie proof has the hash its parent names",
        CORE + "trie_proof.py",
        "if keccak(node) != expected_hash:",
        "if False:",
        UNIT + "test_state_proofs.py::test_verify_account_changed_state_root_is_refused",
        "T5",
    ),
    Mutant(
        "trie-leftover",
        "a trie proof has no nodes left over",
        CORE + "trie_proof.py",
        "    if path.nodes:\n",
        "    if False:\n",
        UNIT
        + "test_state_proofs.py::test_verify_slot_truncated_padded_or_flipped_nodes_are_refused",
        "T5",
    ),
    Mutant(
        "trie-leaf-path",
        "a leaf counts only for the key it stands at",
        CORE + "trie_proof.py",
        "if path.nibbles[: len(part)] != part or (leaf and path.nibbles != part):",
        "if not leaf and path.nibbles[: len(part)] != part:",
        UNIT + "test_state_proofs.py::test_verify_trie_proof_agrees_with_the_trie_library",
        "T5",
    ),
    Mutant(
        "trie-path-spelling",
        "a path in a trie node has one spelling",
        CORE + "trie_proof.py",
        "if flags > (_ODD | _LEAF) or (not flags & _ODD and nibbles[1]):",
        "if flags > (_ODD | _LEAF):",
        UNIT + "test_state_proofs.py::test_verify_trie_proof_nodes_of_no_such_form_are_refused",
        "T5",
    ),
    Mutant(
        "log-of-failed-transaction",
        "a log counts only if its transaction succeeded",
        CORE + "log_proof.py",
        "if items[0] != _SUCCEEDED:",
        "if False:",
        UNIT + "test_state_proofs.py::test_verify_log_of_a_failed_transaction_is_refused",
        "T5",
    ),
    Mutant(
        "storage-slot-of-flags",
        "slots are those the compiler gives",
        CORE + "storage_layout.py",
        "STATUS_FLAGS, SUCCESSORS = 1, 2",
        "STATUS_FLAGS, SUCCESSORS = 2, 1",
        UNIT + "test_state_proofs.py::test_slot_numbers_are_those_of_the_compiler",
        "T5",
    ),
    Mutant(
        "chain-header-hash",
        "a header is that of the block the receipt names",
        CORE + "chain_proofs.py",
        "if (block.hash, block.block_timestamp_s) != (block_hash, header.timestamp_s):",
        "if False:",
        UNIT + "test_receipts_v1.py::"
        "test_verify_receipt_v1_vector_has_named_verdict[reliance/state-block-of-another-hash]",
        "T5",
    ),
    Mutant(
        "chain-own-validators",
        "validators come from the trust file, never from the header",
        CORE + "chain_proofs.py",
        "verify_seals(header, own if validators is None else validators)",
        "verify_seals(header, own)",
        UNIT + "test_receipts_v1.py::"
        "test_verify_receipt_v1_vector_has_named_verdict[reliance/validators-named-by-the-header]",
        "T5",
    ),
    Mutant(
        "chain-unsealed-counts",
        "nothing follows from a header without trusted seals",
        CORE + "chain_proofs.py",
        "return validators is not None",
        "return True",
        UNIT + "test_receipts_v1.py::"
        "test_verify_receipt_v1_vector_has_named_verdict[reliance/pending-trust-file-names-no-validators-of-these-blocks]",
        "T5",
    ),
    Mutant(
        "chain-contract-code",
        "proven state is that of the trusted contract code",
        CORE + "chain_proofs.py",
        "if contract is None or contract.code_hash != account.code_hash:",
        "if contract is None:",
        UNIT + "test_receipts_v1.py::"
        "test_verify_receipt_v1_vector_has_named_verdict[reliance/contract-with-other-code]",
        "T5",
    ),
    Mutant(
        "chain-needed-slots",
        "no slot is carried that the receipt does not speak of",
        CORE + "chain_proofs.py",
        "if not {each.slot for each in account.slots} <= set(needed_slots):",
        "if False:",
        UNIT + "test_receipts_v1.py::"
        "test_verify_receipt_v1_vector_has_named_verdict[reliance/status-of-another-slot]",
        "T5",
    ),
    Mutant(
        "chain-read-facts-first",
        "what facts that were read do not hold did not happen, whatever is proven",
        CORE + "proven_facts.py",
        "        and not known.is_complete_to(each.position.block_number)\n",
        "",
        UNIT + "test_receipts_v1.py::"
        "test_verify_receipt_v1_vector_has_named_verdict[reliance/facts-that-were-read-hold-no-such-head]",
        "T5",
    ),
    Mutant(
        "chain-place-carried",
        "a place is held by a log that is carried, on a chain without seals too",
        CORE + "verify_parts.py",
        "if claimed.tx_hash == NO_TX_HASH and not facts.is_carried(claimed):",
        "if False:",
        UNIT + "test_receipts_v1.py::"
        "test_verify_receipt_v1_vector_has_named_verdict[unsealed/unsealed-log-left-out]",
        "T5",
    ),
    Mutant(
        "chain-evidence-fails",
        "evidence of the chain that does not hold fails the receipt",
        CORE + "verify_chain.py",
        "        judgement.fail(problem)\n",
        "        return\n",
        UNIT + "test_receipts_v1.py::"
        "test_verify_receipt_v1_vector_has_named_verdict[reliance/header-cut-off]",
        "T5",
    ),
    Mutant(
        "chain-evidence-missing",
        "a receipt of version 1 without evidence of the chain is pending",
        CORE + "verify_chain.py",
        "        judgement.wait(problem)\n",
        "        return\n",
        UNIT + "test_receipts_v1.py::"
        "test_verify_receipt_v1_vector_has_named_verdict[registration/pending-without-chain]",
        "T5",
    ),
    Mutant(
        "chain-settled-place",
        "a place at which another event is proven is settled",
        CORE + "chain_facts.py",
        " or (sealed and self.is_carried(position))\n",
        "\n",
        UNIT + "test_receipts_v1.py::"
        "test_verify_receipt_v1_vector_has_named_verdict[reliance/head-of-another-root]",
        "T5",
    ),
    Mutant(
        "chain-credential-unknown",
        "a credential whose status nobody proves is not taken for good",
        CORE + "chain_facts.py",
        'raise _unknown("the status of a credential")',
        "return None",
        UNIT + "test_receipts_v1.py::"
        "test_verify_receipt_v1_vector_has_named_verdict[reliance/credential-status-left-out]",
        "T5",
    ),
    Mutant(
        "chain-credential-withdrawn",
        "a credential proven withdrawn does not count",
        CORE + "chain_facts.py",
        "withdrawn = StatusFlag.WITHDRAWN in flags",
        "withdrawn = False",
        UNIT + "test_receipts_v1.py::"
        "test_verify_receipt_v1_vector_has_named_verdict[reliance/credential-withdrawn]",
        "T5",
    ),
    Mutant(
        "validator-ranges",
        "ranges of validator sets do not overlap",
        CORE + "trust_format.py",
        "if earlier.to_block is None or earlier.to_block >= later.from_block:",
        "if earlier.to_block is None:",
        UNIT + "test_receipts.py::"
        "test_parse_trust_vector_has_named_outcome[trust/validator-ranges-overlap]",
        "T5",
    ),
    Mutant(
        "tlog-proof-entry",
        "a tlog proof leads from the entry to the signed head",
        CORE + "tlog_proof.py",
        "verify_inclusion(hash_leaf(entry), ",
        "print(hash_leaf(entry), ",
        UNIT + "test_tlog_proofs.py::"
        "test_verify_tlog_proof_vector_has_named_outcome[entry/index-of-another]",
        "T5",
    ),
    Mutant(
        "edge-header-hash",
        "a header is taken from an endpoint only if its hash is the block's",
        "ledger_node/edges/chain/proofs.py",
        "        if _is_of(encoded, block_hash):",
        "        if True:",
        "tests/integration/chain/test_proof_answers.py::"
        "test_build_header_that_does_not_lead_to_its_hash_is_no_answer",
        "T5",
    ),
    Mutant(
        "edge-receipts-root",
        "receipts are taken from an endpoint only if they lead to the block's receipts root",
        "ledger_node/edges/chain/proofs.py",
        "    if trie.root_hash != header.receipts_root:",
        "    if False:",
        "tests/integration/chain/test_proof_answers.py::"
        "test_build_log_proof_of_receipts_that_are_not_the_blocks_is_no_answer",
        "T5",
    ),
    Mutant(
        "edge-state-proof",
        "state is taken from an endpoint only if it leads to the block's state root",
        "ledger_node/edges/chain/proofs.py",
        "    _demand_proven(verify)\n    return AccountEvidence",
        "    return AccountEvidence",
        "tests/integration/chain/test_proof_answers.py::"
        "test_read_account_proof_of_recorded_proofs_leads_to_the_header_or_is_no_answer",
        "T5",
    ),
    Mutant(
        "proof-followed-hash",
        "a proof is kept only under the header of the block that was followed",
        "ledger_node/flows/proving.py",
        "    if found != block_hash:",
        "    if False:",
        "tests/integration/test_receipts_flow.py::"
        "test_prove_log_under_a_header_that_was_not_followed_is_a_contradiction",
        "T5",
    ),
)
