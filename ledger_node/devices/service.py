"""Running one bridge: its port on 127.0.0.1, its driver, until a signal."""

from __future__ import annotations

import importlib
import signal
import socket
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Final, cast

import uvicorn

from ledger_node.devices.app import Bridge, build_app
from ledger_node.devices.batches import Batches
from ledger_node.devices.desk import Desk
from ledger_node.devices.hot_folder import HotFolder
from ledger_node.devices.pairing import Pairing
from ledger_node.devices.port import Driver
from ledger_node.devices.samples import write_samples
from ledger_node.devices.settings import BridgeSettings, BridgeSettingsError
from ledger_node.devices.simulator import Simulator

HOST: Final = "127.0.0.1"
STOP_S: Final = 3
Announce = Callable[[dict[str, object]], None]


def serve(settings: BridgeSettings, announce: Announce) -> int:
    """Run until SIGTERM or SIGINT; exit code 0.

    Args:
        announce: Called with `ready` (url, pairing code) and with every later pairing code; it
            goes to this machine's terminal.

    Raises:
        BridgeSettingsError: The port is taken, the driver is not there, or a folder is missing.
    """
    with ExitStack() as stack:
        bound = stack.enter_context(_bind(settings.port))
        port = bound.getsockname()[1]
        url = f"http://{HOST}:{port}"
        ready: list[str] = []

        def show(code: str) -> None:
            event = "pairing_code" if ready else "ready"
            ready.append(event)
            announce({"event": event, "url": url, "pairing_code": code})

        folder = _open_folder(settings)
        desk = Desk(_open_driver(settings, stack))
        stack.callback(desk.close)
        bound.listen(64)
        bridge = Bridge(desk, Pairing(time.monotonic, show), Batches(time.monotonic), folder)
        app = build_app(bridge, [f"{HOST}:{port}"], list(settings.origins))
        server = uvicorn.Server(
            uvicorn.Config(
                app,
                access_log=False,
                log_config=None,
                server_header=False,
                lifespan="off",
                ws="none",
                timeout_graceful_shutdown=STOP_S,
            )
        )
        signal.signal(signal.SIGTERM, lambda *_: setattr(server, "should_exit", True))
        server.run([bound])
    return 0


def _bind(port: int) -> socket.socket:
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((HOST, port))
    except OSError as error:
        bound.close()
        raise BridgeSettingsError(f"port {port} is in use") from error
    return bound


def _open_folder(settings: BridgeSettings) -> HotFolder | None:
    if settings.hot_folder is None:
        return None
    if not settings.hot_folder.is_dir():
        raise BridgeSettingsError("hot_folder is not a folder")
    return HotFolder(settings.hot_folder, time.monotonic, settings.settle_s)


def _open_driver(settings: BridgeSettings, stack: ExitStack) -> Driver:
    if settings.driver != "simulator":
        module, _, name = settings.driver.partition(":")
        try:
            return cast(Driver, getattr(importlib.import_module(module), name)(settings))
        except (ImportError, AttributeError, ValueError) as error:
            raise BridgeSettingsError(
                "driver is not simulator or package.module:function"
            ) from error
    samples = settings.samples
    if samples is None:
        samples = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tongban-samples-")))
    if not (samples / "cards").is_dir():
        write_samples(samples, settings.font)
    return Simulator(samples, settings.delay_s)
