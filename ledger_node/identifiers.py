"""Numbers of persons, enterprises and licences: normalised for the index, check characters judged.

Outside the core because check characters come from `stdnum`. Nothing here refuses a paper for a
rule that is merely believed: an unknown place or an odd birth date is a warning; a wrong form or
check character is a refusal. Spec: GB 11643, GB 32100 with GB 11714 inside, GB/T 36904;
docs/spec/terms.md, section "Identifiers".

Invariants:
    * One number has one normalised form; index tags are made of (scheme, that form).
    * No error and no warning repeats a number or a name.
Not here: index tags (edges/keys), matching persons (a name alone never does).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date
from enum import StrEnum

from stdnum import numdb
from stdnum.cn import uscc
from stdnum.exceptions import ValidationError
from stdnum.iso7064 import mod_11_2, mod_37_36

from ledger_node.core.errors import MalformedInputError

# Division codes in use that stand in no public table (domain.md section 3).
OWN_DIVISIONS = frozenset({"130629", "133100"})

_SEPARATORS = re.compile(r"[\s\-‐-―－]")
_RESIDENT_ID = re.compile(r"[1-9][0-9]{16}[0-9X]")
_CREDIT_CODE = re.compile(r"[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}")
_PASSPORT = re.compile(r"[A-Z0-9]{5,20}")
_E_LICENCE = re.compile(
    r"1\.2\.156\.3005\.2\.([0-9A-Z]{21})\.([0-9A-Z]{18})\.([0-9A-Z]{1,32})\.([0-9A-Z]{3})\.([0-9A-Z])"
)
_GB_11714_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_MIDDLE_DOTS = str.maketrans(dict.fromkeys("•‧・･∙⋅.．", "·"))


class MalformedIdentifierError(MalformedInputError):
    """The number is not one of its scheme.

    Fields: scheme, part (form, check or organisation_check).
    """

    code = "malformed_identifier"

    def __init__(self, scheme: str, part: str) -> None:
        super().__init__(
            f"号码不符合 {scheme} 的规则（{part}），请核对后重输。",
            f"the number is not one of scheme {scheme} ({part}); check it and enter it again.",
            scheme=scheme,
            part=part,
        )


class UnknownSchemeError(MalformedInputError):
    """No such scheme of numbers."""

    code = "unknown_scheme"


class Scheme(StrEnum):
    """Schemes of numbers."""

    RESIDENT_ID = "cn-resident-id"
    CREDIT_CODE = "cn-credit-code"
    E_LICENCE = "cn-e-licence"
    PASSPORT = "passport"


class IdentifierWarning(StrEnum):
    """What a person should look at; never a refusal."""

    UNKNOWN_PLACE = "unknown_place"
    ODD_BIRTH_DATE = "odd_birth_date"


def normalise_identifier(scheme: str, number: str) -> str:
    """Normalised form of a number; index tags are made of it.

    Args:
        scheme: One of `Scheme`.
        number: As typed or read: full-width forms, blanks, hyphens and lower case are taken.

    Raises:
        UnknownSchemeError: Another scheme.
        MalformedIdentifierError: Not a number of the scheme; does not repeat it.
    """
    try:
        known = Scheme(scheme)
    except ValueError:
        raise UnknownSchemeError("不认识的号码种类。", "unknown scheme of numbers.") from None
    text = _SEPARATORS.sub("", unicodedata.normalize("NFKC", number)).upper()
    _CHECKS[known](text)
    return text


def list_warnings(scheme: str, normalised: str, today: date) -> tuple[IdentifierWarning, ...]:
    """What is odd about a normalised number.

    Args:
        scheme: One of `Scheme`; only resident ids have warnings.
        normalised: As `normalise_identifier` returned it.
        today: Of the caller's clock: nobody is born after it.
    """
    if scheme != Scheme.RESIDENT_ID:
        return ()
    warnings = []
    if not _is_known_place(normalised[:6]):
        warnings.append(IdentifierWarning.UNKNOWN_PLACE)
    born_on = find_birth_date(normalised)
    if born_on is None or born_on > today:
        warnings.append(IdentifierWarning.ODD_BIRTH_DATE)
    return tuple(warnings)


def find_birth_date(resident_id: str) -> date | None:
    """Birth date in a normalised resident id, or None if its digits are no date."""
    try:
        return date(int(resident_id[6:10]), int(resident_id[10:12]), int(resident_id[12:14]))
    except ValueError:
        return None


def is_minor(scheme: str, normalised: str, today: date) -> bool:
    """Whether a resident id says its holder is under 18; False when it says nothing."""
    born_on = find_birth_date(normalised) if scheme == Scheme.RESIDENT_ID else None
    if born_on is None or born_on > today:
        return False
    had_birthday = (today.month, today.day) >= (born_on.month, born_on.day)
    return today.year - born_on.year - (not had_birthday) < 18


def normalise_name(name: str) -> str:
    """Form in which names are compared: NFKC, no blanks, one kind of middle dot, no case."""
    text = unicodedata.normalize("NFKC", name).translate(_MIDDLE_DOTS)
    return "".join(text.split()).casefold()


def compute_organisation_check(code: str) -> str:
    """Check character of a GB 11714 organisation code; `code` is its eight characters."""
    total = sum(
        int(char, 36) * weight for char, weight in zip(code, _GB_11714_WEIGHTS, strict=True)
    )
    return "0123456789X0"[11 - total % 11]


def _check_resident_id(text: str) -> None:
    if _RESIDENT_ID.fullmatch(text) is None:
        raise MalformedIdentifierError(Scheme.RESIDENT_ID, "form")
    if mod_11_2.calc_check_digit(text[:-1]) != text[-1]:
        raise MalformedIdentifierError(Scheme.RESIDENT_ID, "check")


def _check_credit_code(text: str) -> None:
    if _CREDIT_CODE.fullmatch(text) is None:
        raise MalformedIdentifierError(Scheme.CREDIT_CODE, "form")
    if uscc.calc_check_digit(text[:-1]) != text[-1]:
        raise MalformedIdentifierError(Scheme.CREDIT_CODE, "check")
    if compute_organisation_check(text[8:16]) != text[16]:
        raise MalformedIdentifierError(Scheme.CREDIT_CODE, "organisation_check")


def _check_e_licence(text: str) -> None:
    match = _E_LICENCE.fullmatch(text)
    if match is None:
        raise MalformedIdentifierError(Scheme.E_LICENCE, "form")
    try:
        mod_37_36.validate("".join(match.groups()))
    except ValidationError:
        raise MalformedIdentifierError(Scheme.E_LICENCE, "check") from None


def _check_passport(text: str) -> None:
    if _PASSPORT.fullmatch(text) is None:
        raise MalformedIdentifierError(Scheme.PASSPORT, "form")


_CHECKS: Mapping[Scheme, Callable[[str], None]] = {
    Scheme.RESIDENT_ID: _check_resident_id,
    Scheme.CREDIT_CODE: _check_credit_code,
    Scheme.E_LICENCE: _check_e_licence,
    Scheme.PASSPORT: _check_passport,
}


def _is_known_place(code: str) -> bool:
    # 81, 82, 83: Hong Kong, Macao, Taiwan residents; 9: foreigners' permanent residence.
    if code in OWN_DIVISIONS or code[:2] in ("81", "82", "83") or code[0] == "9":
        return True
    return any(properties for _, properties in numdb.get("cn/loc").info(code))
