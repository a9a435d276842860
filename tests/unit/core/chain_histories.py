"""Seeded event histories that the contracts could have emitted, from a small model of them.

The model knows nothing of the folds: it keeps what it needs to emit only possible events, one
transaction per event or group, several transactions per block.
"""

import hashlib
import random
from dataclasses import replace

from ledger_node.core import event_types as t

MEMBERSHIP = b"\x11" * 20
CITY_LOG = b"\x22" * 20
STATUS = b"\x33" * 20
GRANTS = b"\x44" * 20
CITIES = ["510107", "510700", "130629", "500103", "610113"]
GENESIS_S = 1_800_000_000
DELAY_S = 86_400


def digest(*parts):
    return hashlib.sha256("/".join(map(str, parts)).encode()).digest()


class History:
    """Builds a list of events in chain order; `emit` places them."""

    def __init__(self, seed=0):
        self.rng = random.Random(seed)
        self.events = []
        self.block = 0
        self.time_s = GENESIS_S
        self.log_index = 0
        self.tx = 0
        self.changes = self.proposals = self.objections = 0
        self.sizes = dict.fromkeys(CITIES, 0)
        self.good = dict.fromkeys(CITIES, True)
        self.pending = {}
        self.statuses = {}
        self.open = {}
        self.grants = {}
        self.burnt = set()
        self.next_block()

    def next_block(self, seconds=None):
        self.block += self.rng.randrange(1, 4)
        self.time_s += self.rng.randrange(1, 5_000) if seconds is None else seconds
        self.log_index = 0
        self.next_tx()

    def next_tx(self):
        self.tx += 1

    def emit(self, kind, *values, address=MEMBERSHIP):
        position = t.Position(
            self.block,
            self.log_index,
            digest("tx", self.tx),
            digest("block", self.block),
            self.time_s,
            address,
        )
        self.log_index += 1
        self.events.append(kind(position, *values))
        return self.events[-1]

    def found(self, cities=CITIES):
        """The transactions that create a consortium and name its contracts."""
        for city in cities:
            self.emit(t.MemberAdmitted, city, f"https://{city}.example")
            for role in t.KeyRole:
                self.emit(t.KeyAnnounced, city, role, digest("key", city, role), self.time_s, 0)
        for role, address in zip((0, 1, 2), (CITY_LOG, STATUS, GRANTS), strict=True):
            self.next_block()
            self.vote(t.ProposalKind.REGISTER_CONTRACT)
            self.emit(t.ContractRegistered, t.ContractRole(role), address, self.block)
        self.next_block()
        return self

    def vote(self, kind):
        """A proposal that all good members support, executed in a transaction of its own."""
        self.proposals += 1
        voters = [city for city in CITIES if self.good[city]]
        expires = self.time_s + 600_000
        self.emit(
            t.ProposalCreated, self.proposals, voters[0], kind, b"payload", bytes(32), expires
        )
        for city in voters:
            self.next_tx()
            self.emit(t.VoteCast, self.proposals, city, True)
        self.next_tx()
        self.emit(t.ProposalExecuted, self.proposals)

    def member(self):
        return self.rng.choice([city for city in CITIES if self.good[city]])

    def anchor(self, city=None):
        city = city or self.member()
        self.sizes[city] += self.rng.randrange(1, 50)
        size = self.sizes[city]
        root = digest("root", city, size)
        return self.emit(t.CheckpointAnchored, city, 1, size, root, address=CITY_LOG)

    def record(self, uses=None, window_s=100_000):
        releasing, receiving = self.rng.sample([c for c in CITIES if self.good[c]], 2)
        grant_id = digest("grant", self.tx, self.log_index, len(self.grants))
        event = self.emit(
            t.GrantRecorded,
            grant_id,
            releasing,
            receiving,
            receiving,
            self.time_s,
            self.time_s + window_s,
            uses or self.rng.randrange(1, 4),
            t.Basis.COUNTER,
            digest("evidence", grant_id),
            address=GRANTS,
        )
        self.grants[grant_id] = [event, event.uses, False]
        return event

    def consume(self, grant_id=None):
        usable = [
            each
            for each, (event, left, revoked) in self.grants.items()
            if left
            and not revoked
            and self.time_s < event.not_after_s
            and self.good[event.releasing]
            and self.good[event.receiving]
        ]
        if grant_id is None and not usable:
            return self.record()
        grant_id = grant_id or self.rng.choice(usable)
        self.grants[grant_id][1] -= 1
        release = digest("release", self.tx, self.log_index)
        left = self.grants[grant_id][1]
        return self.emit(t.GrantConsumed, grant_id, release, left, address=GRANTS)

    def revoke(self, grant_id=None, city=None):
        alive = [each for each, known in self.grants.items() if not known[2]]
        if grant_id is None and not alive:
            return self.record()
        grant_id = grant_id or self.rng.choice(alive)
        self.grants[grant_id][2] = True
        city = city or self.grants[grant_id][0].releasing
        return self.emit(t.GrantRevoked, grant_id, city, address=GRANTS)

    def set_status(self):
        city, leaf = self.member(), digest("leaf", self.rng.randrange(5))
        set_already = self.statuses.setdefault((city, leaf), set())
        free = [flag for flag in t.StatusFlag if flag not in set_already]
        if not free:
            return self.anchor()
        flag = self.rng.choice(free)
        set_already.add(flag)
        successor = digest("successor", city) if flag is t.StatusFlag.SUPERSEDED else bytes(32)
        return self.emit(t.StatusSet, city, leaf, flag, successor, address=STATUS)

    def object(self):
        self.objections += 1
        city, raiser = self.rng.sample([c for c in CITIES if self.good[c]], 2)
        self.open[self.objections] = (city, raiser)
        leaf = digest("leaf", self.rng.randrange(5))
        return self.emit(
            t.ObjectionRaised, self.objections, city, leaf, raiser, digest("why"), address=STATUS
        )

    def settle(self):
        ready = [each for each, (city, _) in self.open.items() if self.good[city]]
        if not ready:
            return self.object()
        number = self.rng.choice(ready)
        del self.open[number]
        if self.rng.random() < 0.5:
            return self.emit(t.ObjectionWithdrawn, number, address=STATUS)
        outcome = self.rng.choice(list(t.ObjectionOutcome))
        return self.emit(t.ObjectionClosed, number, outcome, address=STATUS)

    def announce(self):
        city, role = self.rng.choice(CITIES), self.rng.choice(list(t.KeyRole))
        waiting = self.pending.get((city, role))
        if waiting is not None and waiting[1] > self.time_s:
            del self.pending[city, role]
            return self.emit(t.ChangeCancelled, waiting[0], city)
        self.changes += 1
        begins = self.time_s + DELAY_S
        self.pending[city, role] = (self.changes, begins)
        key = digest("key", city, role, self.changes)
        return self.emit(t.KeyAnnounced, city, role, key, begins, self.changes)

    def announce_url(self):
        self.changes += 1
        city = self.rng.choice(CITIES)
        url, begins = f"https://{city}-{self.changes}.example", self.time_s + DELAY_S
        return self.emit(t.UrlAnnounced, city, url, begins, self.changes)

    def toggle_standing(self):
        suspended = [city for city in CITIES if not self.good[city]]
        if suspended:
            self.vote(t.ProposalKind.REINSTATE_CITY)
            self.good[suspended[0]] = True
            return self.emit(t.MemberReinstated, suspended[0])
        city = self.rng.choice(CITIES)
        self.vote(t.ProposalKind.SUSPEND_CITY)
        self.good[city] = False
        return self.emit(t.MemberSuspended, city)

    def run(self, steps):
        """Random possible steps; several transactions per block."""
        choices = [
            self.anchor,
            self.record,
            self.consume,
            self.consume,
            self.revoke,
            self.set_status,
            self.object,
            self.settle,
            self.announce,
            self.announce_url,
            self.toggle_standing,
        ]
        for _ in range(steps):
            self.rng.choice(choices)()
            self.next_tx()
            if self.rng.random() < 0.5:
                self.next_block()
        return self


def moved(event, **changes):
    """The event at another position."""
    return replace(event, position=replace(event.position, **changes))
