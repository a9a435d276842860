"""The parser of signed terms files: what a citizen carries from window to window."""

from ledger_node.flows import signed_terms
from tests.fuzz.parsers import ParserCase
from tests.reference import exchange as x
from tests.reference import formats as f


def _file(*all_terms):
    ids = [x.grant_id(terms) for terms in all_terms]
    grants = [
        {
            "terms": terms,
            "evidence": x.counter(x.challenge(*ids), ("wang", "li")),
            "bundle": sorted(other.hex() for other in ids if other != own),
            "evidence_salt": x.salt("evidence").hex(),
            "openings": {
                name: {"salt": x.salt(name).hex(), "body": body}
                for name, body in (("subject", x.SUBJECT), ("item", x.ITEM), ("case", x.CASE))
            },
        }
        for own, terms in zip(ids, all_terms, strict=True)
    ]
    return f.jcs({"v": "tongban/signed-terms/v1", "grants": grants})


CASES = [
    ParserCase(
        "flows.signed_terms.parse_signed_terms",
        "json",
        signed_terms.parse_signed_terms,
        [_file(x.terms()), _file(x.terms(), x.terms(uses=3))],
        signed_terms.encode_signed_terms,
    )
]
