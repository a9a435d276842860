"""A fields file of `tongban terms`: whom and what the person at the window agrees to.

Members: docs/cli.md, "terms".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ledger_node.cli.fields import FieldReader
from ledger_node.core.canonical import MalformedEncodingError, parse_hex
from ledger_node.core.sealed import Subject
from ledger_node.core.statement_type import get_statement_type
from ledger_node.core.terms import Grantor, GrantorKind, TypeGrant
from ledger_node.core.types import HASH_BYTES, CityId, Commitment
from ledger_node.flows.facts import load_chain_view
from ledger_node.flows.granting import ConsentRequest
from ledger_node.flows.node import Node
from ledger_node.flows.submission import UnknownMaterialTypeError

DEFAULT_WINDOW_S: Final = 30 * 24 * 3600
DEFAULT_TEXT: Final = "consent/zh-en/1"
_MEMBERS: Final = (
    "subject",
    "grantor",
    "releasing",
    "receiving",
    "types",
    "item",
    "case",
    "window_s",
    "uses",
    "text",
)
_KINDS: Final = ", ".join(kind.value for kind in GrantorKind)


def build_consent(node: Node, fields: Mapping[str, Any]) -> ConsentRequest:
    """The consent that a fields file describes.

    Raises:
        MalformedFieldsError: A member is missing, unknown or of another type; a city is no member.
        UnknownMaterialTypeError: The catalogue has no such type.
        MalformedInputError: The subject's number is not one of its scheme.
        NotFollowedError: The chain is not known yet.
    """
    reader = FieldReader(fields, "", _MEMBERS)
    receiving = CityId(reader.optional_text("receiving") or node.city)
    releasing = tuple(CityId(text) for text in reader.texts("releasing"))
    _demand_members(node, reader, releasing, receiving)
    types = [_read_type(node, item, f"types.{at}") for at, item in enumerate(reader.items("types"))]
    if not types:
        raise reader.refuse("types", "不能为空", "must not be empty")
    window_s, uses = reader.optional_int("window_s", 1), reader.optional_int("uses", 1)
    return ConsentRequest(
        releasing=releasing,
        receiving=receiving,
        subject=_read_subject(node, reader.optional_object("subject")),
        grantor=_read_grantor(reader.optional_object("grantor")),
        types=tuple(types),
        item=reader.text("item"),
        case=reader.text("case"),
        window_s=DEFAULT_WINDOW_S if window_s is None else window_s,
        uses=1 if uses is None else uses,
        text=reader.optional_text("text") or DEFAULT_TEXT,
    )


def _demand_members(
    node: Node, reader: FieldReader, releasing: tuple[CityId, ...], receiving: CityId
) -> None:
    with node.database.read() as tx:
        members = load_chain_view(tx).consortium.members
    if not releasing or len(set(releasing)) != len(releasing) or receiving in releasing:
        raise reader.refuse(
            "releasing",
            "须为一个或多个互不相同、且非接收方的城市",
            "one or more different cities, none of them the receiving one",
        )
    for member, city in (("receiving", receiving), *(("releasing", each) for each in releasing)):
        if city not in members:
            raise reader.refuse(member, "中有非成员城市", "names a city that is no member")


def _read_subject(node: Node, value: object) -> Subject:
    reader = FieldReader(value, "subject", ("scheme", "number", "name"))
    scheme = reader.text("scheme")
    number = node.normalise_identifier(scheme, reader.text("number"))
    return Subject(scheme, number, reader.text("name"))


def _read_grantor(value: object) -> Grantor:
    if value is None:
        return Grantor(GrantorKind.SELF, None)
    reader = FieldReader(value, "grantor", ("kind", "mandate"))
    kind, mandate = reader.text("kind"), reader.optional_text("mandate")
    if kind not in {each.value for each in GrantorKind}:
        raise reader.refuse("kind", f"应为 {_KINDS} 之一", f"one of {_KINDS} is expected")
    if mandate is None:
        return Grantor(GrantorKind(kind), None)
    try:
        commitment = parse_hex(mandate, what="mandate", length_bytes=HASH_BYTES)
    except MalformedEncodingError as error:
        raise reader.refuse(
            "mandate", "应为 64 位十六进制", "64 hex digits are expected"
        ) from error
    return Grantor(GrantorKind(kind), Commitment(commitment))


def _read_type(node: Node, value: object, name: str) -> TypeGrant:
    reader = FieldReader(value, name, ("code", "fields", "documents"))
    code, fields = reader.text("code"), reader.texts("fields")
    if code not in node.material_types:
        raise UnknownMaterialTypeError(code)
    statement_type = get_statement_type(code)
    for field in fields:
        if field not in statement_type.fields:
            raise reader.refuse("fields", "中有未知字段名", "names an unknown field")
    return TypeGrant(code, fields, reader.flag("documents", default=True))
