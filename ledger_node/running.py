"""A node as a process: start-up, worker loops, HTTP server, orderly end.

Start-up follows the chain to its head before the port opens, so that nothing is answered from
before a restore; then it runs the same rounds the loops run. A loop outlives what the outside
world does to it (`UnavailableError`) and what waits for a person (a halt); anything unexpected
ends the process, because its restart is the recovery path.
"""

from __future__ import annotations

import json
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import structlog
import uvicorn

from api.app import build_app
from ledger_node.core.errors import ConflictError, LedgerError, UnavailableError
from ledger_node.core.types import BlockHash
from ledger_node.flows.anchoring import resume_anchoring, verify_log_head
from ledger_node.flows.case_folder import resume_case_folders
from ledger_node.flows.case_outbox import resume_case_events
from ledger_node.flows.consenting import sweep_consents
from ledger_node.flows.deciding import resume_deciding
from ledger_node.flows.epochs import renew_epoch
from ledger_node.flows.following import resume_following
from ledger_node.flows.halts import LedgerHaltedError
from ledger_node.flows.idempotency import drop_old_keys
from ledger_node.flows.mirror_turns import MirrorTurns
from ledger_node.flows.outbox import resume_outbox
from ledger_node.flows.proving import resume_proving
from ledger_node.flows.receiving import resume_receiving
from ledger_node.flows.recovering import recover_log
from ledger_node.flows.releasing import resume_releasing
from ledger_node.flows.replaying import resume_replays
from ledger_node.flows.reusing import ReuseTurns
from ledger_node.flows.sequencing import open_log, resume_sequencing, run_sequencing_round
from ledger_node.flows.sessions import sweep_sessions
from ledger_node.flows.uploading import sweep_uploads
from ledger_node.flows.watching import resume_watching
from ledger_node.flows.window_cases import resume_case_steps
from ledger_node.seed import load_catalogue
from ledger_node.wiring import Runtime, configure_logging, open_runtime

BACKOFF_S = 2.0
CHAIN_INTERVAL_S = 0.25
REUSE_INTERVAL_S = 0.25
RECEIVE_INTERVAL_S = 1.0
WHOLE_TURN_S = 5.0
PAUSE_S = 4.0  # longer than a batch of an import takes
WATCH_INTERVAL_S = 1.0
MIRROR_INTERVAL_S = 1.0
DESK_INTERVAL_S = 1.0  # other systems' cases and auditors' replays
NONCE_SWEEP_S = 600.0
UPLOAD_SWEEP_S = 60.0
CONSENT_SWEEP_S = 30.0  # a screen past its time says so by itself; this is for what nobody looks at
EPOCH_LOOK_S = 3600.0
SHUTDOWN_S = 5


@dataclass
class Workers:
    """The loops of one process and what became of them."""

    runtime: Runtime
    failed: list[str] = field(default_factory=list)
    threads: list[threading.Thread] = field(default_factory=list)

    def start(self, name: str, interval_s: float, turn: Callable[[], object]) -> None:
        """Run `turn` again and again until the process is asked to stop."""
        thread = threading.Thread(target=self._run, args=(name, interval_s, turn), name=name)
        thread.start()
        self.threads.append(thread)

    def join(self) -> None:
        """Wait for every loop to end its turn."""
        for thread in self.threads:
            thread.join()

    def _run(self, name: str, interval_s: float, turn: Callable[[], object]) -> None:
        clock = self.runtime.clock
        log = structlog.get_logger().bind(city=self.runtime.node.city, loop=name)
        last_code = ""
        while not clock.stop_requested:
            wait_s = interval_s
            try:
                turn()
                last_code = ""
            except (UnavailableError, ConflictError, LedgerHaltedError) as error:
                wait_s = BACKOFF_S
                if error.code != last_code:  # once per reason, not once per turn
                    log.warning("loop_waits", code=error.code)
                last_code = error.code
            except Exception as error:  # noqa: BLE001 (the process ends; its restart recovers)
                code = error.code if isinstance(error, LedgerError) else type(error).__name__
                log.error("loop_failed", code=code)
                self.failed.append(name)
                clock.request_stop()
                signal.raise_signal(signal.SIGTERM)
                return
            clock.sleep(wait_s)


class Sequencer:
    """Sequencing of one process: nothing is numbered before the log was compared with the chain.

    After a restore the log may be behind its own anchored head; an index assigned then would be
    assigned twice: what is missing is taken back from the mirrors first. While the chain is silent
    registrations go on and wait for their index.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._node = runtime.node
        self._verified = False

    @property
    def is_verified(self) -> bool:
        """Whether the log was compared with the chain by this process."""
        return self._verified

    def turn(self) -> None:
        """One round; the first ones recover, compare and take over the writer's term."""
        if self._verified:
            run_sequencing_round(self._node)
            return
        recover_log(self._node)
        verify_log_head(self._node)
        resume_sequencing(self._node)
        self._verified = True


def start_up(runtime: Runtime, sequencer: Sequencer) -> None:
    """Catch up with the chain and finish what an earlier process left.

    Raises:
        UnavailableError: The chain is silent: the node starts all the same, see `run_node`.
        LedgerHaltedError: A halt stands; the node serves what it has and waits for a person.
    """
    node = runtime.node
    open_log(node)
    resume_following(node)
    sequencer.turn()
    resume_outbox(node)


class ChainTurns:
    """Everything that watches or writes the chain, one turn at a time.

    A log that grows after a pause is anchored at once; while it keeps growing the anchors come at
    twice the distance each time, up to `anchoring_interval_s`. So a window sees its paper recorded
    within seconds, and a bulk import takes a handful of transactions.

    A turn in which neither the chain nor the log moved and nothing waits to be sent costs one
    question to the chain; a whole turn is taken every `WHOLE_TURN_S` all the same.
    """

    def __init__(self, runtime: Runtime, may_anchor: Callable[[], bool] = lambda: True) -> None:
        """Anchor only while `may_anchor()`: not before the log was compared and recovered."""
        self._node = runtime.node
        self._may_anchor = may_anchor
        self._clock = runtime.clock
        self._longest_s = runtime.settings.anchoring_interval_s
        self._seen_size = self._anchored_size = -1
        self._grew_at_s = self._anchored_at_s = self._clock.monotonic_s()
        self._distance_s = 0.0
        self._quiet_head: BlockHash | None = None
        self._whole_at_s = self._clock.monotonic_s()

    def turn(self) -> None:
        """Follow, send, anchor when it is time, move releases."""
        head = self._node.chain.fetch_head().hash
        if not self._is_quiet(head):
            self._quiet_head = None
            resume_following(self._node)
            resume_outbox(self._node)
            resume_proving(self._node)
            if self._may_anchor() and self._is_time():
                resume_anchoring(self._node)
            self._quiet_head, self._whole_at_s = head, self._clock.monotonic_s()
        resume_releasing(self._node)

    def _is_quiet(self, head: BlockHash) -> bool:
        """Whether a whole turn on this head found everything done and nothing came since."""
        if head != self._quiet_head:
            return False
        if self._clock.monotonic_s() - self._whole_at_s >= WHOLE_TURN_S:
            return False
        with self._node.database.read() as tx:
            return tx.log.load_head().size == self._anchored_size and not tx.outbox.list_open(1)

    def _is_time(self) -> bool:
        now_s = self._clock.monotonic_s()
        with self._node.database.read() as tx:
            size = tx.log.load_head().size
        if size != self._seen_size:
            self._seen_size, self._grew_at_s = size, now_s
        elif now_s - self._grew_at_s >= PAUSE_S:
            self._distance_s = 0.0
        if now_s - self._anchored_at_s < self._distance_s:
            return False
        if size != self._anchored_size:
            self._distance_s = min(max(2 * self._distance_s, 1.0), self._longest_s)
        self._anchored_size, self._anchored_at_s = size, now_s
        return True


def run_node(data_dir: Path, announce: Callable[[dict[str, object]], None] | None = None) -> int:
    """Run a city's node until SIGTERM or SIGINT; exit code 0, or 1 when a loop failed."""
    configure_logging(json_lines=True)
    runtime = open_runtime(data_dir)
    settings, node = runtime.settings, runtime.node
    log = structlog.get_logger().bind(city=node.city)
    sequencer = Sequencer(runtime)
    try:
        start_up(runtime, sequencer)
    except (UnavailableError, ConflictError, LedgerHaltedError) as error:
        # What is mirrored still checks while the chain is away (P9); the loops go on trying.
        log.warning("started_with", code=error.code)
    # uvicorn ends its server on these signals and then raises them again, for us.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: runtime.clock.request_stop())
    workers = Workers(runtime)
    workers.start("sequencing", settings.sequencing_interval_s, sequencer.turn)
    chain = ChainTurns(runtime, lambda: sequencer.is_verified)
    workers.start("chain", CHAIN_INTERVAL_S, chain.turn)
    workers.start("receiving", RECEIVE_INTERVAL_S, lambda: resume_receiving(node))
    reuse = ReuseTurns(node, load_catalogue())
    workers.start("reuse", REUSE_INTERVAL_S, lambda: take_reuse_turn(reuse))
    mirrors = MirrorTurns(node, settings.mirror_look_interval_s, settings.anchoring_promise_s)
    workers.start("mirrors", MIRROR_INTERVAL_S, mirrors.turn)
    workers.start("watching", WATCH_INTERVAL_S, lambda: resume_watching(node))
    workers.start(
        "case events", DESK_INTERVAL_S, lambda: resume_case_events(node, runtime.case_systems)
    )
    workers.start("case folders", DESK_INTERVAL_S, lambda: take_folder_turn(runtime))
    workers.start("nonces", NONCE_SWEEP_S, lambda: drop_old_nonces(runtime))
    workers.start("consents", CONSENT_SWEEP_S, lambda: take_consent_turn(runtime))
    workers.start("uploads", UPLOAD_SWEEP_S, lambda: sweep_api(runtime))
    age = timedelta(days=settings.keys.epoch_days)
    workers.start("key epochs", EPOCH_LOOK_S, lambda: renew_epoch(node, age))
    token = node.entropy(16)
    workers.start("replays", DESK_INTERVAL_S, lambda: take_replay_turn(runtime, token))
    serve(runtime, announce or print_ready)
    runtime.clock.request_stop()
    workers.join()
    reuse.close()
    runtime.close()
    log.info("stopped")
    return 1 if workers.failed else 0


def take_reuse_turn(reuse: ReuseTurns) -> None:
    """Take up signatures, go on with every city's step, file what was decided, move cases on."""
    reuse.turn()
    resume_deciding(reuse.node)
    resume_case_steps(reuse.node, load_catalogue())


def take_replay_turn(runtime: Runtime, token: bytes) -> None:
    """Run the replay an auditor asked for, until it ends or the process is asked to stop."""
    resume_replays(runtime.node, token, lambda: runtime.clock.stop_requested)


def take_consent_turn(runtime: Runtime) -> None:
    """End overdue consents; while there are more than one look finds, look again at once."""
    while sweep_consents(runtime.node) and not runtime.clock.stop_requested:
        pass


def take_folder_turn(runtime: Runtime) -> None:
    """Cases that systems without an interface put into their folders."""
    items = load_catalogue().items.keys()
    resume_case_folders(runtime.node, runtime.case_systems, runtime.case_folders, items)


def sweep_api(runtime: Runtime) -> None:
    """Expired uploads with their plaintext, keys older than a day."""
    sweep_uploads(runtime.node, runtime.uploads)
    drop_old_keys(runtime.node)


def drop_old_nonces(runtime: Runtime) -> None:
    """Forget nonces whose messages would be refused for their age anyway, and ended sessions."""
    with runtime.node.database.transaction() as tx:
        tx.messages.drop_nonces_before(runtime.node.clock.now())
    sweep_sessions(runtime.node)


def serve(runtime: Runtime, announce: Callable[[dict[str, object]], None]) -> None:
    """Serve HTTP until a signal; `announce` is called once the port is open."""
    settings = runtime.settings
    config = uvicorn.Config(
        build_app(runtime),
        host=settings.listen_host,
        port=settings.listen_port,
        log_config=None,
        access_log=False,  # paths of peer routes say nothing, but neither does an access log
        server_header=False,
        timeout_graceful_shutdown=SHUTDOWN_S,
    )
    server = AnnouncingServer(config, runtime, announce)
    server.run()


class AnnouncingServer(uvicorn.Server):
    """uvicorn that says when its port is open."""

    def __init__(
        self,
        config: uvicorn.Config,
        runtime: Runtime,
        announce: Callable[[dict[str, object]], None],
    ) -> None:
        super().__init__(config)
        self._runtime = runtime
        self._announce = announce

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        """Open the port, then announce city and address."""
        await super().startup(sockets)  # type: ignore[arg-type]
        if self.started:
            port = self.servers[0].sockets[0].getsockname()[1]
            host = self._runtime.settings.listen_host
            self._announce(
                {"city": self._runtime.node.city, "url": f"http://{host}:{port}", "ready": True}
            )


def print_ready(facts: dict[str, object]) -> None:
    """One JSON line on standard output for whoever started the process."""
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()
