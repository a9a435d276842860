"""`registering_city.py DIR FIRST`: registers papers in a city until it is killed, one line each.

A line is printed only after the registration was acknowledged: what stands on standard output must
be in the log for ever.
"""

from __future__ import annotations

import io
import sys
from itertools import count
from pathlib import Path

from ledger_node.flows.intake import register
from ledger_node.flows.submission import DocumentFile, Subject, Submission
from ledger_node.wiring import open_runtime


def main(data_dir: Path, first: int) -> None:
    runtime = open_runtime(data_dir)
    for which in count(first):
        submission = Submission(
            "marriage-cert",
            (Subject("holder", "passport", f"E{which:08d}", "何雨晴"),),
            "A",
            (DocumentFile(lambda which=which: io.BytesIO(b"paper %d" % which)),),
            number=f"J-{which:08d}",
        )
        done = register(runtime.node, runtime.queue, submission)
        print(done.commitment.hex(), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
