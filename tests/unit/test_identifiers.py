"""Numbers of persons, enterprises and licences. All persons are invented."""

from datetime import date

import pytest
from stdnum.iso7064 import mod_11_2, mod_37_36

from ledger_node.identifiers import (
    IdentifierWarning,
    MalformedIdentifierError,
    UnknownSchemeError,
    compute_organisation_check,
    find_birth_date,
    is_minor,
    list_warnings,
    normalise_identifier,
    normalise_name,
)

TODAY = date(2026, 11, 22)
ID = "cn-resident-id"


def resident_id(place="510107", born="19900307", serial="123"):
    body = place + born + serial
    return body + mod_11_2.calc_check_digit(body)


def e_licence():
    parts = ["11100000MB0000000X001"[:21], "11510107MB1234567X", "A0001", "001"]
    return "1.2.156.3005.2." + ".".join(parts) + "." + mod_37_36.calc_check_digit("".join(parts))


@pytest.mark.parametrize(
    "place", ["510107", "130629", "133100", "810000", "820000", "830000", "911123", "660000"]
)
def test_normalise_identifier_every_kind_of_resident_number_is_taken(place):
    number = resident_id(place)
    assert normalise_identifier(ID, number) == number


def test_normalise_identifier_blanks_full_width_and_case_are_taken():
    number = next(n for s in range(100, 200) if (n := resident_id(serial=str(s)))[-1] == "X")
    wide = "".join(chr(ord(char) + 0xFEE0) for char in number)
    for spelling in (number.lower(), f" {number[:6]} {number[6:14]}-{number[14:]}\n", wide):
        assert normalise_identifier(ID, spelling) == number


@pytest.mark.parametrize("place", range(18))
def test_normalise_identifier_one_wrong_digit_raises_without_repeating_it(place):
    number = resident_id(serial="120" if resident_id(serial="120")[-1] != "X" else "121")
    digit = "1" if number[place] == "2" else "2"
    wrong = number[:place] + digit + number[place + 1 :]
    with pytest.raises(MalformedIdentifierError) as caught:
        normalise_identifier(ID, wrong)
    assert caught.value.fields["part"] == "check"
    assert wrong not in str(caught.value) + caught.value.message_zh


@pytest.mark.parametrize("number", ["", "5101071990030712", "A" * 18, "0" * 18])
def test_normalise_identifier_resident_form_wrong_raises(number):
    with pytest.raises(MalformedIdentifierError) as caught:
        normalise_identifier(ID, number)
    assert caught.value.fields["part"] == "form"


def test_list_warnings_unknown_place_and_odd_birth_are_only_warnings():
    assert list_warnings(ID, resident_id(), TODAY) == ()
    for place in ("130629", "133100", "830000", "911123"):
        assert list_warnings(ID, resident_id(place), TODAY) == ()
    assert list_warnings(ID, resident_id("660000"), TODAY) == (IdentifierWarning.UNKNOWN_PLACE,)
    for born in ("20990101", "19901301"):
        number = normalise_identifier(ID, resident_id(born=born))
        assert list_warnings(ID, number, TODAY) == (IdentifierWarning.ODD_BIRTH_DATE,)
    assert list_warnings("passport", "E12345678", TODAY) == ()


def test_find_birth_date_and_is_minor():
    assert find_birth_date(resident_id()) == date(1990, 3, 7)
    assert find_birth_date(resident_id(born="19900230")) is None
    assert is_minor(ID, resident_id(born="20081123"), TODAY)
    assert not is_minor(ID, resident_id(born="20081122"), TODAY)
    assert not is_minor(ID, resident_id(born="20990101"), TODAY)
    assert not is_minor("passport", "E12345678", TODAY)


def test_normalise_identifier_credit_code_inner_check_is_judged():
    assert normalise_identifier("cn-credit-code", "91110000600037341l") == "91110000600037341L"
    assert compute_organisation_check("60003734") == "1"


def credit_code(head, organisation):
    from stdnum.cn import uscc

    body = head + organisation + compute_organisation_check(organisation)
    return body + uscc.calc_check_digit(body)


def test_normalise_identifier_village_collective_is_taken():
    code = credit_code("N2510107", "MF123456")
    assert normalise_identifier("cn-credit-code", code) == code


@pytest.mark.parametrize(
    ("number", "part"),
    [
        ("9111000060003734", "form"),
        ("91110000600037341M", "check"),
        ("I1110000600037341L", "form"),
    ],
)
def test_normalise_identifier_credit_code_wrong_raises(number, part):
    with pytest.raises(MalformedIdentifierError) as caught:
        normalise_identifier("cn-credit-code", number)
    assert caught.value.fields["part"] == part


def test_normalise_identifier_credit_code_wrong_inside_raises():
    from stdnum.cn import uscc

    body = "91110000600037342"
    with pytest.raises(MalformedIdentifierError) as caught:
        normalise_identifier("cn-credit-code", body + uscc.calc_check_digit(body))
    assert caught.value.fields["part"] == "organisation_check"


@pytest.mark.parametrize(
    ("code", "check"), [("00000000", "0"), ("00000005", "1"), ("00000001", "9"), ("20000000", "5")]
)
def test_compute_organisation_check_small_cases_by_hand(code, check):
    assert compute_organisation_check(code) == check


def test_normalise_identifier_e_licence():
    good = e_licence()
    assert normalise_identifier("cn-e-licence", good) == good
    last = "A" if good[-1] != "A" else "B"
    for wrong, part in ((good[:-1] + last, "check"), (good[4:], "form")):
        with pytest.raises(MalformedIdentifierError) as caught:
            normalise_identifier("cn-e-licence", wrong)
        assert caught.value.fields["part"] == part


def test_normalise_identifier_passport():
    assert normalise_identifier("passport", "e 1234 5678") == "E12345678"
    with pytest.raises(MalformedIdentifierError):
        normalise_identifier("passport", "E1?")


def test_normalise_identifier_unknown_scheme_raises():
    with pytest.raises(UnknownSchemeError):
        normalise_identifier("shoe-size", "42")


def test_normalise_name_compares_as_printed_names_mean():
    assert normalise_name("阿凡提・买买提 ") == normalise_name("阿凡提·买买提")
    assert normalise_name("Ｗｕ  Hou") == normalise_name("WUHOU")
    assert normalise_name("张三") != normalise_name("张叁")
