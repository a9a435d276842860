"""Histories of the catalogue's votes with one breach each, and their clean twins."""

from ledger_node.core import catalogue_events as e
from ledger_node.core import event_types as t
from ledger_node.core.replay_state import DiscrepancyCode
from tests.unit.core.chain_histories import CITIES, digest

CODE = DiscrepancyCode
CATALOGUE = b"\x55" * 20
ONE, TWO, OUTSIDER = "510107", "510700", "500103"
PAIR, ALL = digest("list", "pair"), digest("list", "all")
DAY_S = 86_400


class Votes:
    """Emits what `Catalogue` would, on a founded history."""

    def __init__(self, history):
        self.h = history
        history.vote(t.ProposalKind.REGISTER_CONTRACT)
        history.emit(t.ContractRegistered, t.ContractRole.CATALOGUE, CATALOGUE, history.block)
        history.next_block()
        self.number = 0

    def emit(self, kind, *values):
        self.h.next_tx()
        return self.h.emit(kind, *values, address=CATALOGUE)

    def open(self, list_id=PAIR, rule=e.ListRule.BILATERAL, parties=(ONE, TWO)):
        packed = b"".join(int(city).to_bytes(4, "big") for city in parties)
        return self.emit(e.ListOpened, list_id, rule, "list-1", packed)

    def propose(self, list_id=PAIR, city=ONE, edition=1, ahead_s=DAY_S, **changes):
        self.number += 1
        at = self.h.time_s + ahead_s
        return self.emit(
            e.EditionProposed,
            changes.get("number", self.number),
            list_id,
            city,
            edition,
            digest("edition", edition),
            at,
            bytes(32),
            self.h.time_s + 7 * DAY_S,
        )

    def vote(self, *cities, support=True):
        for city in cities:
            self.emit(e.EditionVoteCast, self.number, city, support)

    def publish(self, proposed, **changes):
        values = {
            "edition": proposed.edition,
            "digest": proposed.digest,
            "effective_from_s": proposed.effective_from_s,
            **changes,
        }
        return self.emit(e.EditionPublished, proposed.vote_id, proposed.list_id, *values.values())


def voted(h, *cities, **changes):
    votes = Votes(h)
    votes.open()
    proposed = votes.propose(**changes)
    votes.vote(*cities)
    return votes, proposed


def published(h):
    votes, proposed = voted(h, ONE, TWO)
    votes.publish(proposed)
    return votes, proposed


def of_all(h, voters):
    votes = Votes(h)
    votes.open(ALL, e.ListRule.CONSORTIUM, ())
    proposed = votes.propose(ALL)
    votes.vote(*voters)
    votes.publish(proposed)


def opened_twice(h):
    votes = Votes(h)
    votes.open()
    votes.open()


def late(h):
    votes, proposed = voted(h, ONE, TWO)
    h.next_block(seconds=DAY_S)
    votes.publish(proposed)


def after_expiry(h):
    votes, _ = voted(h, ONE)
    h.next_block(seconds=7 * DAY_S)
    votes.vote(TWO)


def suspended_party(h):
    votes, proposed = voted(h, ONE, TWO)
    h.next_block()
    h.vote(t.ProposalKind.SUSPEND_CITY)
    h.good[TWO] = False
    h.emit(t.MemberSuspended, TWO)
    h.next_block()
    votes.publish(proposed)


def second(h, **changes):
    votes, _ = published(h)
    return votes.propose(**{"edition": 2, "ahead_s": 2 * DAY_S, **changes})


BREACHES = {
    "list_named_twice": (CODE.LIST_CONTRADICTED, opened_twice),
    "list_of_unordered_parties": (
        CODE.LIST_CONTRADICTED,
        lambda h: Votes(h).open(parties=(TWO, ONE)),
    ),
    "list_of_a_stranger": (CODE.NOT_A_MEMBER, lambda h: Votes(h).open(parties=(ONE, "999999"))),
    "edition_of_unknown_list": (CODE.LIST_UNKNOWN, lambda h: Votes(h).propose()),
    "edition_by_a_city_not_concerned": (
        CODE.NOT_CONCERNED,
        lambda h: voted(h, city=OUTSIDER),
    ),
    "edition_vote_of_a_city_not_concerned": (CODE.NOT_CONCERNED, lambda h: voted(h, OUTSIDER)),
    "edition_skipped": (CODE.EDITION_WRONG, lambda h: voted(h, edition=2)),
    "edition_repeated": (CODE.EDITION_WRONG, lambda h: second(h, edition=1)),
    "edition_in_the_past": (CODE.EDITION_TOO_EARLY, lambda h: voted(h, ahead_s=0)),
    "edition_before_the_last": (CODE.EDITION_TOO_EARLY, lambda h: second(h, ahead_s=3_600)),
    "edition_published_late": (CODE.EDITION_TOO_EARLY, late),
    "edition_vote_number_skipped": (CODE.NUMBER_SKIPPED, lambda h: voted(h, number=2)),
    "edition_vote_unknown": (
        CODE.PROPOSAL_UNKNOWN,
        lambda h: Votes(h).emit(e.EditionVoteCast, 9, ONE, True),
    ),
    "edition_vote_after_expiry": (CODE.PROPOSAL_OVER, after_expiry),
    "edition_vote_twice_the_same": (CODE.VOTE_REPEATED, lambda h: voted(h, ONE, ONE)),
    "edition_with_one_vote": (
        CODE.QUORUM_MISSING,
        lambda h: (lambda made: made[0].publish(made[1]))(voted(h, ONE)),
    ),
    "edition_with_a_suspended_party": (CODE.QUORUM_MISSING, suspended_party),
    "edition_of_all_with_three_of_five": (
        CODE.QUORUM_MISSING,
        lambda h: of_all(h, CITIES[:3]),
    ),
    "edition_of_another_digest": (
        CODE.EDITION_WRONG,
        lambda h: (lambda made: made[0].publish(made[1], digest=digest("x")))(voted(h, ONE, TWO)),
    ),
    "edition_published_twice": (
        CODE.PROPOSAL_OVER,
        lambda h: (lambda made: made[0].publish(made[1]))(published(h)),
    ),
}
CLEAN = {
    "edition_of_a_pair": published,
    "edition_of_all_with_four_of_five": lambda h: of_all(h, CITIES[:4]),
    "edition_after_another": second,
    "edition_vote_changed": lambda h: voted(h, ONE)[0].vote(ONE, support=False),
}
