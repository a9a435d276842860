"""`tongban demo`: the whole way of one material through five cities, and attempts to cheat."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ledger_node.cli.output import JsonOption, command, print_result


@command
def run(
    files: Annotated[
        list[Path] | None, typer.Argument(help="要登记的文件 / documents to register")
    ] = None,
    keep: Annotated[
        Path | None, typer.Option(help="结果留在此目录 / leave everything in this directory")
    ] = None,
    serve: Annotated[
        bool,
        typer.Option(
            "--serve", help="五城常开，供浏览器使用 / leave five cities running for a browser"
        ),
    ] = False,
    minutes: Annotated[float, typer.Option(help="最长分钟数 / at most so many minutes")] = 480.0,
    as_json: JsonOption = False,
) -> int:
    """演示一份材料的全程，再试着作弊 / the whole way of a material, then attempts to cheat."""
    if serve:
        from ledger_node.demo.serving import serve_town

        return serve_town(keep, minutes, as_json=as_json)
    from ledger_node.demo.story import run_demo

    code, result = run_demo(keep, files or [], as_json=as_json)
    if as_json:
        print_result(result, [], as_json=True)
    return code
