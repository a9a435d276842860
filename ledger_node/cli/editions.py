"""`tongban catalogue lists | propose | vote | publish`: editions of lists on the chain.

Proposing, voting and publishing are signed by the city's govern account, which is kept offline:
the directory's setting `govern_dir` says where it is while these commands run.
"""

from __future__ import annotations

from datetime import date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ledger_node.cli.city import NodeOption, open_city
from ledger_node.cli.inputs import digest_file
from ledger_node.cli.output import DOES_NOT_HOLD, HOLDS, JsonOption, command, print_result

if TYPE_CHECKING:
    from ledger_node.ports.database_chain import OutboxRow

VoteArgument = Annotated[int, typer.Argument(min=1, help="表决号 / number of the vote")]


@command
def lists(node: NodeOption, as_json: JsonOption = False) -> int:
    """各清单在链上的版次和表决 / lists on chain: editions and votes."""
    from ledger_node.flows.following import catch_up
    from ledger_node.flows.publishing import encode_standing, list_standings

    with open_city(node) as runtime:
        catch_up(runtime.node)
        with runtime.node.database.read() as tx:
            found = list_standings(tx)
        now_s = int(runtime.clock.now().timestamp())
    lines = []
    for each in found:
        counting = each.find_edition(now_s)
        edition = "–" if counting is None else counting.edition
        parties = ",".join(each.parties) or "全体成员 / every member"
        lines.append(
            f"{each.row.code}（{parties}）：现行第 {edition} 版 / edition in force {edition}"
        )
        for one in each.votes:
            state = "已公布 / published" if one.published else f"{one.count.yes}/{one.count.needed}"
            lines.append(
                f"  表决 {one.row.vote_id}：第 {one.row.edition} 版 {one.row.digest.hex()} {state}"
            )
    encoded = [encode_standing(each, now_s) for each in found]
    print_result({"lists": encoded}, lines or ["没有 / none"], as_json=as_json)
    return HOLDS


@command
def propose(
    code: Annotated[str, typer.Argument(help="清单代码 / code of the list")],
    effective: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="生效日 / first day")],
    node: NodeOption,
    file: Annotated[
        Path | None, typer.Option(help="目录文件，不写为随程序的 / catalogue file; ours")
    ] = None,
    paper: Annotated[Path | None, typer.Option(help="说明文件 / paper that explains it")] = None,
    as_json: JsonOption = False,
) -> int:
    """把清单的下一版交付表决 / put the next edition of a list to the vote."""
    from ledger_node.cli.catalogue import load_checked
    from ledger_node.flows.following import catch_up
    from ledger_node.flows.publishing import propose_edition

    catalogue = load_checked(file)
    digest = bytes(32) if paper is None else digest_file(paper)
    with open_city(node) as runtime:
        catch_up(runtime.node)
        starts_s = begin_of_day_s(effective.date())
        row = propose_edition(runtime.node, catalogue, code, starts_s, digest)
    return _report(row, as_json=as_json)


@command
def vote(
    number: VoteArgument,
    node: NodeOption,
    against: Annotated[bool, typer.Option("--against", help="反对 / vote no")] = False,
    as_json: JsonOption = False,
) -> int:
    """对一版清单投票；后投的取代先投的 / vote on an edition; a later vote replaces an earlier."""
    from ledger_node.flows.following import catch_up
    from ledger_node.flows.publishing import vote_edition

    with open_city(node) as runtime:
        catch_up(runtime.node)
        row = vote_edition(runtime.node, number, not against)
    return _report(row, as_json=as_json)


@command
def publish(number: VoteArgument, node: NodeOption, as_json: JsonOption = False) -> int:
    """公布已获票数的一版清单 / publish an edition that has its votes."""
    from ledger_node.flows.following import catch_up
    from ledger_node.flows.publishing import publish_edition

    with open_city(node) as runtime:
        catch_up(runtime.node)
        row = publish_edition(runtime.node, number)
    return _report(row, as_json=as_json)


def begin_of_day_s(day: date) -> int:
    """Second at which a day begins in China."""
    from ledger_node.core.case import BEIJING

    return int(datetime.combine(day, time(), BEIJING).timestamp())


def _report(row: OutboxRow, *, as_json: bool) -> int:
    state = str(getattr(row.state, "value", row.state))
    print_result(
        {"transaction": row.tx_hash.hex(), "outbox": row.outbox_id, "state": state},
        [f"已发出 / sent: 0x{row.tx_hash.hex()}"],
        as_json=as_json,
    )
    return DOES_NOT_HOLD if state == "failed" else HOLDS
