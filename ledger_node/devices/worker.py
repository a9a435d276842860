"""The capped subprocess that opens scanned files: `python -m ledger_node.devices.worker MODE`.

Bytes come on standard input and leave on standard output as frames (`framing.py`); nothing is
written anywhere. The process limits itself before it reads a byte: processor time, memory, files.

`read`: files in; for each a frame per page (facts, preview JPEG), then `file_end`. At last `end`.
`build`: a frame with the order, then one per source; a frame per finished PDF out.
A refusal is a frame `{"refused": reason}`; a crash or an overrun is the parent's to see.
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import BinaryIO, Final

from ledger_node.devices.framing import read_frame, write_frame

CPU_S: Final = 60
CPU_IN_ALL_S: Final = 600
MEMORY_BYTES: Final = 1536 * 1024 * 1024
Frames = Iterator[tuple[dict[str, object], bytes]]


def limit_self() -> None:
    """Cap this process; hard limits cannot be raised again."""
    grant_time()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def grant_time() -> None:
    """Processor time for one more file, within the hard limit."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    until = int(used.ru_utime + used.ru_stime) + CPU_S
    resource.setrlimit(resource.RLIMIT_CPU, (min(until, CPU_IN_ALL_S), CPU_IN_ALL_S))


def main(mode: str, source: BinaryIO, sink: BinaryIO) -> int:
    """Do the work of `mode`; exit code 0, also for a refusal."""
    limit_self()
    order, _ = read_frame(source)
    count = int(str(order["sources"]))
    if mode == "read":
        for _ in range(count):
            data = read_frame(source)[1]
            grant_time()
            _answer(sink, lambda: _read(data))  # noqa: B023 (called at once)
            write_frame(sink, {"file_end": True})
    else:
        sources = [read_frame(source)[1] for _ in range(count)]
        _answer(sink, lambda: _build(order["parts"], sources))
    write_frame(sink, {"end": True})
    return 0


def _read(data: bytes) -> Frames:
    from ledger_node.devices.paging import read_pages

    return read_pages(data)


def _build(parts: object, sources: Sequence[bytes]) -> Frames:
    from ledger_node.devices.building import build_parts

    return build_parts(parts, sources)


def _answer(sink: BinaryIO, work: Callable[[], Frames]) -> None:
    from ledger_node.devices.paging import RefusedError

    try:
        for facts, data in work():
            write_frame(sink, facts, data)
    except RefusedError as error:
        write_frame(sink, {"refused": error.reason})
    except MemoryError:
        write_frame(sink, {"refused": "memory"})
    except Exception:  # noqa: BLE001 (libraries raise anything on a damaged file)
        write_frame(sink, {"refused": "broken"})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.stdin.buffer, sys.stdout.buffer))
