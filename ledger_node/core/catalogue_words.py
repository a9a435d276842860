"""Words of the catalogue: the fixed choices its rows are written with.

Step 6 of the data flow. Spec: docs/spec/catalogue.md; the values are part of the format: add, never
rename. Not here: the rows themselves (catalogue.py).
"""

from __future__ import annotations

from enum import StrEnum


class SubjectKind(StrEnum):
    """Whom a type or item is for."""

    PERSON = "person"
    ENTERPRISE = "enterprise"
    EITHER = "either"


class Necessity(StrEnum):
    """Whether a need must be met now, may be met later (容缺后补), or helps only."""

    REQUIRED = "required"
    DEFER = "defer"
    OPTIONAL = "optional"


class Whose(StrEnum):
    """Whose paper is needed."""

    APPLICANT = "applicant"
    EACH_SPOUSE = "each_spouse"
    CHILD = "child"
    GUARDIAN = "guardian"
    DECEASED = "deceased"
    STAFF = "staff"
    VEHICLE = "vehicle"


class Wanted(StrEnum):
    """What of the material is needed: the least that serves."""

    CHECK = "check"  # a yes or no
    FIELDS = "fields"
    DOCUMENT = "document"


class Presence(StrEnum):
    """Who must come to a window."""

    NONE = "none"
    APPLICANT = "applicant"
    BOTH = "both"  # both applicants, as at a marriage


class Mode(StrEnum):
    """How a case travels: online, collected here and decided there, or by several together."""

    ONLINE = "online"
    COLLECT = "collect"
    JOINT = "joint"


class HomeBy(StrEnum):
    """Which of a person's ties says which city is home."""

    HOUSEHOLD = "household"
    INSURED = "insured"
    ISSUER = "issuer"
    PROPERTY = "property"
    REGISTERED = "registered"
    CHOSEN = "chosen"


class Decides(StrEnum):
    """Who decides an item."""

    HOME = "home"
    ACCEPTING = "accepting"  # the city that accepted the case
    NAMED = "named"


class ListKind(StrEnum):
    """How a list came about: of the consortium, of two sides, or one way only."""

    CONSORTIUM = "consortium"
    BILATERAL = "bilateral"
    DIRECTED = "directed"


class BasisKind(StrEnum):
    """Whether a need stands on the person's consent or on a public function."""

    CONSENT = "consent"
    FUNCTION = "function"


class DayUnit(StrEnum):
    """How the days of a limit are counted."""

    WORKING = "working"
    CALENDAR = "calendar"
