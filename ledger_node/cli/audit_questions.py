"""`tongban audit uses` and five more: questions only a city's own records can answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ledger_node.cli.city import open_city
from ledger_node.cli.inputs import parse_ids
from ledger_node.cli.output import HOLDS, JsonOption, command, print_result

if TYPE_CHECKING:
    from ledger_node.core.canonical import JsonObject
    from ledger_node.flows.questioning import Answer
    from ledger_node.wiring import Runtime

NodeOption = Annotated[
    Path | None,
    typer.Option("--node", envvar="TONGBAN_NODE", help="回答的城市目录 / directory of the city"),
]
RELEASES = ("两地的送达记录", "the release records of the cities")
RECEIPTS = ("采信城市的采信凭证", "the receipts of the city that relied")
REQUESTS = ("城市保存的请求与授权条款", "the requests and terms a city keeps")
RETURNS = ("提供城市收到的确认", "the acknowledgements the releasing city received")
OWN_LOG = ("该城市条目的登记时间", "the times at which the city took its entries in")
FINDS = ("该城市的查询记录", "the find records of the city")


def register(app: typer.Typer) -> None:
    """Add these commands to `tongban audit`."""
    app.command("uses")(uses)
    app.command("relied-after-withdrawal")(relied_after_withdrawal)
    app.command("outside-purpose")(outside_purpose)
    app.command("unacknowledged")(unacknowledged)
    app.command("late-anchors")(late_anchors)
    app.command("officer-finds")(officer_finds)


@command
def uses(
    commitment: Annotated[str, typer.Argument(help="材料承诺值 / commitment of the material")],
    node: NodeOption = None,
    as_json: JsonOption = False,
) -> None:
    """一份材料的全部使用 / all uses of a material."""
    (wanted,) = parse_ids([commitment], "commitment")
    from ledger_node.core.types import Commitment
    from ledger_node.flows.questioning import list_uses

    title = ("材料的全部使用", "all uses of the material")
    _ask(node, RELEASES, title, as_json, lambda city: list_uses(city.node, Commitment(wanted)))


@command
def relied_after_withdrawal(node: NodeOption = None, as_json: JsonOption = False) -> None:
    """撤回或擦除之后仍被采信 / relied on after it was withdrawn or erased."""
    from ledger_node.flows.questioning import list_relied_after_withdrawal

    title = ("撤回之后的采信", "relied on after withdrawal")
    _ask(node, RECEIPTS, title, as_json, lambda city: list_relied_after_withdrawal(city.node))


@command
def outside_purpose(node: NodeOption = None, as_json: JsonOption = False) -> None:
    """超出授权目的的使用 / grants used outside what their terms name."""
    from ledger_node.flows.questioning import list_outside_purpose

    title = ("超出授权目的的使用", "grants used outside their purpose")
    _ask(node, REQUESTS, title, as_json, lambda city: list_outside_purpose(city.node))


@command
def unacknowledged(node: NodeOption = None, as_json: JsonOption = False) -> None:
    """用了授权却无人确认收到 / consumed and never acknowledged."""
    from ledger_node.flows.questioning import list_unacknowledged

    title = ("已用授权、十分钟内未确认", "consumed, not acknowledged within ten minutes")
    _ask(node, RETURNS, title, as_json, lambda city: list_unacknowledged(city.node))


@command
def late_anchors(
    node: NodeOption = None,
    promise_s: Annotated[
        int | None, typer.Option("--promise", min=1, help="承诺秒数 / seconds promised")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """锚定晚于承诺 / anchors later than promised."""
    from ledger_node.flows.questioning import list_late_anchors

    title = ("晚于承诺的锚定", "anchors later than promised")
    _ask(
        node,
        OWN_LOG,
        title,
        as_json,
        lambda city: list_late_anchors(city.node, promise_s or city.settings.anchoring_promise_s),
    )


@command
def officer_finds(
    officer: Annotated[str, typer.Argument(help="工作人员代号 / the officer's pseudonym")],
    node: NodeOption = None,
    as_json: JsonOption = False,
) -> None:
    """一名工作人员的全部查询 / one officer's finds."""
    from ledger_node.flows.questioning import list_finds_of

    title = ("该工作人员的查询", "finds of the officer")
    _ask(node, FINDS, title, as_json, lambda city: list_finds_of(city.node, officer))


def _ask(
    node: Path | None,
    needs: tuple[str, str],
    title: tuple[str, str],
    as_json: bool,
    answer: Callable[[Runtime], Answer],
) -> int:
    from ledger_node.flows.questioning import CityRecordsNeededError

    if node is None:
        raise CityRecordsNeededError(*needs)
    with open_city(node) as city:
        found = answer(city)
        asked = city.node.city
    result = {"city": asked, "question": title[1], "rows": list(found.rows), "more": found.more}
    print_result(result, write_answer(title, found.rows, found.more), as_json=as_json)
    return HOLDS


def write_answer(title: tuple[str, str], rows: Sequence[JsonObject], more: bool) -> list[str]:
    """An answer for people: a heading in both languages, then a line per row."""
    lines = [f"{title[0]}：{len(rows)} 条 / {title[1]}"]
    lines += ["  " + "  ".join(f"{name}={value}" for name, value in row.items()) for row in rows]
    return [*lines, "  还有更多，未列出 / there are more"] if more else lines
