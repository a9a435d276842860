"""Ports for test cities: never one that another test process, or an earlier test, was given.

A founded consortium keeps its addresses while none of its processes runs, so a port that is free
to bind may be spoken for all the same.
"""

from __future__ import annotations

import os
import random
import socket

from ledger_node.demo.stage import LOWEST_PORT, PORT_RANGE

_worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_width = PORT_RANGE // int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
_choice = random.SystemRandom()
_given: set[int] = set()


def find_free_port() -> int:
    """A port of this process's share that nobody listens on, given once."""
    while True:
        port = LOWEST_PORT + _worker * _width + _choice.randrange(_width)
        if port in _given:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _given.add(port)
        return port
