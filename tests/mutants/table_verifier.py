"""Guards of the second verifier: each taken out, its own run over the vectors must notice."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

SOURCE = "verifier/src/"
TEST = "tests/verifier/test_conformance.py::test_second_verifier_"
VERDICTS = TEST + "every_receipt_vector_has_the_published_verdict"
FORMATS = TEST + "every_format_vector_has_named_outcome"
RECORDED = TEST + "recorded_blocks_hold_and_each_damage_is_named"

SECOND_VERIFIER = (
    Mutant(
        "second-canonical",
        "what was parsed is written again and has to be the same bytes",
        SOURCE + "canonical.ts",
        "if (!equalBytes(encodeCanonical(value), bytes))",
        "if (!equalBytes(encodeCanonical(value), encodeCanonical(value)))",
        FORMATS,
    ),
    Mutant(
        "second-receipt-signature",
        "the named key signed this body",
        SOURCE + "verify_parts.ts",
        '  if (!receipt.isSigned) fail("receipt_signature_invalid");\n',
        "",
        VERDICTS,
    ),
    Mutant(
        "second-reliance-entry",
        "the reliance entry commits to the body",
        SOURCE + "verify_reliance.ts",
        'if (error instanceof Refusal) fail("reliance_inclusion_mismatch");',
        "if (error instanceof Refusal) return;",
        VERDICTS,
    ),
    Mutant(
        "second-seals-enough",
        "two thirds of the trust file's validators sealed",
        SOURCE + "qbft.ts",
        "seen.size < countNeededSeals(validators.length)",
        "seen.size < 1",
        VERDICTS,
    ),
    Mutant(
        "second-seal-foreign",
        "every seal is by a validator of the set",
        SOURCE + "qbft.ts",
        'if (!validators.includes(signer)) throw new Refusal("seal_foreign", signer);',
        "if (!validators.includes(signer)) continue;",
        VERDICTS,
    ),
    Mutant(
        "second-seal-twice",
        "no validator counts twice",
        SOURCE + "qbft.ts",
        '    if (seen.has(signer)) throw new Refusal("seal_duplicated", signer);\n',
        "",
        RECORDED,
    ),
    Mutant(
        "second-two-hashes",
        "the block hash has round 0, what a seal signs the round as it stands",
        SOURCE + "block_header.ts",
        "return toHex(hashWith(header, new Uint8Array()));",
        "return toHex(computeSealedHash(header));",
        RECORDED,
    ),
    Mutant(
        "second-trie-left-over",
        "a proof holds exactly the nodes of the path",
        SOURCE + "trie_proof.ts",
        "  walk.demandUsedUp();\n",
        "",
        RECORDED,
    ),
    Mutant(
        "second-code-hash",
        "the contract proven runs the consortium's code",
        SOURCE + "verify_chain.ts",
        "account.codeHash !== contract.codeHash",
        "false",
        VERDICTS,
    ),
    Mutant(
        "second-permit",
        "the chain consumed the grant for exactly this request and answer",
        SOURCE + "verify_grant.ts",
        '  if (found === "absent") fail("permit_unknown");\n',
        "",
        VERDICTS,
    ),
    Mutant(
        "second-revoked",
        "a revocation before the consumption ends the grant",
        SOURCE + "verify_grant.ts",
        "if (grant !== null && grant.revoked !== null && !isBefore(consumed, grant.revoked))",
        "if (false)",
        VERDICTS,
    ),
    Mutant(
        "second-credential-withdrawn",
        "a credential withdrawn by then does not count",
        SOURCE + "credential.ts",
        "if (withdrawnAt !== null && withdrawnAt <= used.knownAt)",
        "if (false)",
        FORMATS,
    ),
    Mutant(
        "second-inclusion",
        "the proof ends in the root of the head",
        SOURCE + "merkle.ts",
        '  if (toHex(hash) !== head.root) throw new Refusal("root_mismatch");\n',
        "",
        FORMATS,
    ),
)
