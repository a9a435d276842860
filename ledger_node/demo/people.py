"""Invented people of the demonstration (domain: one story each), and papers they handed in before.

Numbers have valid check digits and belong to nobody we know of.
"""

from __future__ import annotations

from dataclasses import dataclass

from ledger_node.demo.papers import Paper, Person, build_pdf, build_scan

CIVIL_WUHOU = ("11510107MB1A2B3C4D", "成都市武侯区民政局")
COURT_YANTA = ("11610113MB2958432L", "西安市雁塔区人民法院")
POLICE_XIONGAN = ("11130629MB1C64125D", "雄安新区公安局")
HOSPITAL_YUZHONG = ("12500103450419887B", "重庆市渝中区妇幼保健院")
HUMAN_RESOURCES_MIANYANG = ("11510700MB1602184K", "绵阳市人力资源和社会保障局")


@dataclass(frozen=True, slots=True)
class Resident:
    """A person and why they are in the demonstration.

    Attributes:
        slug: Short name, also of the sample card.
        home: City whose window or provider knows them.
    """

    slug: str
    person: Person
    home: str
    zh: str
    en: str


RESIDENTS = (
    Resident(
        "borrower",
        Person("何雨晴", "510107199003070049"),
        "wuhou",
        "在武侯交过三份材料，到绵阳申请公积金异地贷款",
        "handed in three papers in Wuhou, applies for a provident-fund loan in Mianyang",
    ),
    Resident(
        "husband",
        Person("周明远", "510700198709243320"),
        "mianyang",
        "曾经判决离婚，现已再婚",
        "divorced by judgment once, married again",
    ),
    Resident(
        "minor",
        Person("林子墨", "510700201504182119"),
        "mianyang",
        "父母离异的未成年人，由监护人代办",
        "a minor of divorced parents; the guardian acts",
    ),
    Resident(
        "grandmother",
        Person("秦淑芬", "500103194802030641"),
        "yuzhong",
        "没有手机的老人，在柜台签字",
        "has no phone and signs at the counter",
    ),
    Resident(
        "renamed",
        Person("陆知行", "610113197908175517"),
        "yanta",
        "有曾用名“陆小军”",
        "once had another name",
    ),
    Resident(
        "widow",
        Person("顾兰英", "610113197911032787"),
        "yanta",
        "以继承人身份办理",
        "acts as an heir",
    ),
    Resident(
        "deaf",
        Person("冯静怡", "510107198806121212"),
        "wuhou",
        "听障申请人，有代办人",
        "a deaf applicant with an agent",
    ),
    Resident(
        "official",
        Person("卢建国", "130629199301284410"),
        "xiongan",
        "原公务员，档案要转出",
        "a former civil servant whose archive moves",
    ),
)


def find_resident(slug: str) -> Resident:
    """The resident of a short name (`StopIteration` is a defect of the caller)."""
    return next(each for each in RESIDENTS if each.slug == slug)


def build_earlier_papers() -> list[tuple[str, Resident, Paper]]:
    """(city, person, paper) of what was handed in before the day of the demonstration, beside the
    borrower's three."""
    husband, official = find_resident("husband"), find_resident("official")
    grandmother, deaf = find_resident("grandmother"), find_resident("deaf")
    return [
        _pdf(
            "yanta",
            husband,
            "court-judgment",
            "离婚民事判决书",
            "(2018)陕0113民初2764号",
            COURT_YANTA,
            "2018-11-06",
            [("案由", "离婚纠纷"), ("结论", "准予离婚，判决已生效")],
        ),
        _scan(
            "xiongan",
            official,
            "household-book",
            "居民户口簿",
            "130629004512",
            POLICE_XIONGAN,
            "2020-07-14",
            ["户别：非农业家庭户", "户主：卢建国", "登记机关：雄安新区公安局"],
        ),
        _pdf(
            "yuzhong",
            grandmother,
            "birth-cert",
            "出生医学证明",
            "P500103721",
            HOSPITAL_YUZHONG,
            "2001-03-30",
            [("新生儿母亲", grandmother.person.name), ("接生机构", HOSPITAL_YUZHONG[1])],
        ),
        _pdf(
            "wuhou",
            deaf,
            "disability-card",
            "残疾人证",
            "51010719880612121221",
            CIVIL_WUHOU,
            "2022-06-18",
            [("类别", "听力残疾"), ("等级", "二级")],
        ),
    ]


def _pdf(
    city: str,
    who: Resident,
    type_code: str,
    title: str,
    number: str,
    issuer: tuple[str, str],
    issued_on: str,
    rows: list[tuple[str, str]],
) -> tuple[str, Resident, Paper]:
    content = build_pdf(
        title,
        [("姓名", who.person.name), ("编号", number), *rows],
        f"{issuer[1]}（印）\n{issued_on}",
    )
    paper = Paper(
        type_code, f"{title}.pdf", "application/pdf", content, number, issuer, issued_on, title
    )
    return city, who, paper


def _scan(
    city: str,
    who: Resident,
    type_code: str,
    title: str,
    number: str,
    issuer: tuple[str, str],
    issued_on: str,
    lines: list[str],
) -> tuple[str, Resident, Paper]:
    content = build_scan(title, [f"姓名：{who.person.name}", f"编号：{number}", *lines])
    paper = Paper(
        type_code, f"{title}.jpg", "image/jpeg", content, number, issuer, issued_on, title
    )
    return city, who, paper
