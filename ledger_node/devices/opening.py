"""Starting the capped worker and believing it only so far: time and size of its answer are bounded.

A damaged or hostile file can end the worker, never the bridge.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from typing import BinaryIO, Final, cast

from ledger_node.devices.errors import FileRefusedError
from ledger_node.devices.framing import BrokenFrameError, read_frame, write_frame
from ledger_node.devices.grouping import OrderedPage, PageFacts
from ledger_node.devices.separators import parse_separator

WALL_S: Final = 90.0  # per file
WAIT_S: Final = 1.0
MAX_SOURCE_BYTES: Final = 64 * 1024 * 1024
MAX_ANSWER_BYTES: Final = 512 * 1024 * 1024
_COMMAND: Final = (sys.executable, "-I", "-m", "ledger_node.devices.worker")
SplitFile = list[tuple[dict[str, object], bytes]]
Take = Callable[[dict[str, object], bytes], object]


def split_files(files: Sequence[bytes]) -> list[SplitFile | str]:
    """Pages of each file, or the reason it is refused (`FileRefusedError`); in order.

    One worker opens them all; a file that ends it is refused, and another goes on after it.
    """
    found: list[SplitFile | str] = []
    while len(found) < len(files):
        rest = files[len(found) :]
        found += _split_some([data if len(data) <= MAX_SOURCE_BYTES else b"" for data in rest])
    return ["bytes" if len(d) > MAX_SOURCE_BYTES else f for d, f in zip(files, found, strict=True)]


def _split_some(files: Sequence[bytes]) -> list[SplitFile | str]:
    """Results up to the end, or up to and with the file that ended the worker."""
    found: list[SplitFile | str] = []
    pages: SplitFile = []
    refused = ""

    def take(head: dict[str, object], data: bytes) -> None:
        nonlocal pages, refused
        if "file_end" in head:
            found.append(refused or pages)
            pages, refused = [], ""
        elif "refused" in head:
            refused = str(head["refused"])
        else:
            pages.append((head, data))

    def feed(sink: BinaryIO) -> None:
        write_frame(sink, {"sources": len(files)})
        for data in files:
            write_frame(sink, {}, data)

    try:
        _run("read", feed, take)
    except FileRefusedError as error:
        found.append(error.reason)
    return found


def build_pdfs(
    parts: Sequence[Sequence[OrderedPage]], pages: Sequence[PageFacts], sources: Sequence[bytes]
) -> list[tuple[int, bytes]]:
    """Page count and PDF of each part, in order.

    Raises:
        FileRefusedError: A source cannot be taken over within the limits.
    """
    order = [
        [[pages[p.number].source, pages[p.number].page, p.rotate] for p in part] for part in parts
    ]

    def feed(sink: BinaryIO) -> None:
        write_frame(sink, {"sources": len(sources), "parts": order})
        for source in sources:
            write_frame(sink, {}, source)

    frames: SplitFile = []
    _run("build", feed, lambda head, data: frames.append((head, data)))
    if refused := next((head["refused"] for head, _ in frames if "refused" in head), None):
        raise FileRefusedError(str(refused))
    return [(int(str(head["page_count"])), pdf) for head, pdf in frames]


def read_facts(head: dict[str, object], source: int, page: int) -> PageFacts:
    """What the worker says of a page, as ours."""
    text = head["separator"]
    return PageFacts(
        source,
        page,
        int(str(head["width"])),
        int(str(head["height"])),
        head["blank"] is True,
        parse_separator(text) if isinstance(text, str) else None,
    )


def _run(mode: str, feed: Callable[[BinaryIO], None], take: Take) -> None:
    """Run a worker to its end.

    Raises:
        FileRefusedError: It was ended by a limit, or died of a file.
    """
    process = subprocess.Popen(  # noqa: S603 (fixed command, no shell)
        [*_COMMAND, mode],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={},
    )
    watch = _Watch(process)
    feeder = threading.Thread(target=_feed, args=(process, feed), daemon=True)
    feeder.start()
    try:
        _read_answer(cast(BinaryIO, process.stdout), watch, take)
    except BrokenFrameError as error:
        raise FileRefusedError(_say_why(process, watch)) from error
    finally:
        watch.stop()
        process.kill()
        process.wait()
        feeder.join(1.0)
        cast(BinaryIO, process.stdout).close()


def _say_why(process: subprocess.Popen[bytes], watch: _Watch) -> str:
    try:
        ended = process.wait(WAIT_S)
    except subprocess.TimeoutExpired:
        return "bytes"  # it lives: its answer was longer than is taken
    return "time" if watch.expired or ended == -signal.SIGXCPU else "memory"


class _Watch:
    """Ends a worker that says nothing for too long."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self.expired = False
        self._timer = threading.Timer(0, lambda: None)
        self.start()

    def start(self) -> None:
        self._timer.cancel()
        self._timer = threading.Timer(WALL_S, self._expire)
        self._timer.daemon = True
        self._timer.start()

    def stop(self) -> None:
        self._timer.cancel()

    def _expire(self) -> None:
        self.expired = True
        self._process.kill()


def _feed(process: subprocess.Popen[bytes], feed: Callable[[BinaryIO], None]) -> None:
    try:
        with cast(BinaryIO, process.stdin) as sink:
            feed(sink)
    except OSError:
        return  # the worker is gone; its answer, or the lack of one, says why


def _read_answer(answer: BinaryIO, watch: _Watch, take: Take) -> None:
    left = MAX_ANSWER_BYTES
    while True:
        head, data = read_frame(answer, left)
        left -= len(data)
        if "end" in head:
            return
        if "file_end" in head:
            watch.start()
        take(head, data)
