"""`python -m tests.localchain.warm_parent`: starts chains by fork, so that a start takes no second.

Reads one JSON request per line and answers one line each:
    {"start": [arguments], "out": path, "log": path, "fault": [when, block] or null} -> pid
    {"wait": pid} -> exit code as `subprocess` counts it (negative: ended by that signal)
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from typing import Any

from ledger_node.localchain.__main__ import main
from tests.localchain.faults import plant


def run(request: dict[str, Any]) -> None:
    """Become a chain process; never returns."""
    code = 1
    try:
        os.close(0)
        for descriptor, path in ((1, request["out"]), (2, request["log"])):
            opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            os.dup2(opened, descriptor)
            os.close(opened)
        if request["fault"]:
            plant(*request["fault"])
        code = main(request["start"])
    except SystemExit as ended:
        code = int(ended.code or 0)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code)


def answer(request: dict[str, Any]) -> int:
    """Do what one line asks."""
    if "wait" in request:
        return os.waitstatus_to_exitcode(os.waitpid(request["wait"], 0)[1])
    pid = os.fork()
    if pid == 0:
        run(request)
    return pid


if __name__ == "__main__":
    for line in sys.stdin:
        found = answer(json.loads(line))
        sys.stdout.write(f"{found}\n")
        sys.stdout.flush()
