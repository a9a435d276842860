"""What grants are supposed to do, in the fewest words; shares nothing with contract or node."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class ModelGrant:
    """One terms commitment, from its first sight on for ever."""

    begin_s: int
    end_s: int
    uses_left: int
    revoked: bool = False


@dataclass
class Model:
    """Grants by name, releases consumed, and the present; answers name the expected refusal."""

    now_s: int
    grants: dict[int, ModelGrant] = field(default_factory=dict)
    revoked_unseen: set[int] = field(default_factory=set)
    consumed: dict[int, int] = field(default_factory=dict)  # release -> grant

    def record(self, grant: int, begin_s: int, end_s: int, uses: int) -> str | None:
        """Record terms; None when they are taken."""
        if grant in self.grants or grant in self.revoked_unseen:
            return "GrantsTermsSeen"
        if begin_s >= end_s or end_s <= self.now_s:
            return "GrantsBadWindow"
        if uses == 0:
            return "GrantsNoUses"
        self.grants[grant] = ModelGrant(begin_s, end_s, uses)
        return None

    def revoke(self, grant: int) -> str | None:
        """Revoke by the recorder; terms nobody recorded are closed for ever, too."""
        known = self.grants.get(grant)
        if grant in self.revoked_unseen or (known is not None and known.revoked):
            return "GrantsAlreadyRevoked"
        if known is None:
            self.revoked_unseen.add(grant)
        else:
            known.revoked = True
        return None

    def refusal(self, grant: int, release: int) -> str | None:
        """Why a consumption is refused now; None when it is not."""
        known = self.grants.get(grant)
        if grant in self.revoked_unseen or (known is not None and known.revoked):
            return "GrantsRevoked"
        if known is None:
            return "GrantsUnknown"
        if self.now_s < known.begin_s:
            return "GrantsNotYetValid"
        if self.now_s >= known.end_s:
            return "GrantsExpired"
        if known.uses_left == 0:
            return "GrantsUsedUp"
        return "GrantsReleaseUsed" if release in self.consumed else None

    def consume(self, grant: int, release: int) -> str | None:
        """Consume one use for one release."""
        refusal = self.refusal(grant, release)
        if refusal is None:
            self.grants[grant].uses_left -= 1
            self.consumed[release] = grant
        return refusal
