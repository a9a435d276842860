"""`python -m tests.bench [--json] [NAME …]`: each job beside its yardstick, in one run.

Load tools, servers and the chain share this machine's processors with what is measured.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from tests.bench import api, edges, exploring, importing, local_chain, peers, pure
from tests.bench.harness import Result, describe_run

BENCHES: Mapping[str, Callable[[Path], Iterator[Result]]] = {
    "log": pure.bench_log,
    "statements": pure.bench_statements,
    "inclusion": pure.bench_inclusion,
    "documents": edges.bench_documents,
    "keys": edges.bench_keys,
    "registrations": edges.bench_registrations,
    "registrations-postgres": edges.bench_registrations_postgres,
    "chain": local_chain.bench_chain,
    "peers": peers.bench_peers,
    "import": importing.bench_import,
    "explorer": exploring.bench_explorer,
    "api": api.bench_api,
}


def main() -> int:
    """Run the named benches, or all."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *BENCHES], metavar="NAME")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    arguments = parser.parse_args()
    run, results, begun = describe_run(), [], time.monotonic()
    if not arguments.json:
        load = ", ".join(f"{each:.1f}" for each in run["load_average"])
        print(f"commit {run['commit']}  load {load}  processors {run['processors']}")
    for name in arguments.names or BENCHES:
        with tempfile.TemporaryDirectory(prefix="tongban-bench-") as scratch:
            for result in BENCHES[name](Path(scratch)):
                results.append(result)
                if not arguments.json:
                    print("\n".join(result.lines()), flush=True)
    seconds = round(time.monotonic() - begun, 1)
    if arguments.json:
        run |= {"seconds": seconds, "results": [each.summary() for each in results]}
        print(json.dumps(run, ensure_ascii=False))
    else:
        print(f"{seconds} s; ratios are the result, absolute figures belong to this machine now")
    return 0


if __name__ == "__main__":
    sys.exit(main())
