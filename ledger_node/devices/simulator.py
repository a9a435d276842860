"""A driver without devices: sample cards, a sample stack, a pad that signs by itself.

The page of the bridge says which card lies on the reader and what goes wrong next, as a person at
the window would by hand. Deterministic: the same hand gives the same bytes.
"""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from ledger_node.devices.errors import (
    CardNotPlacedError,
    CardUnreadableError,
    CommandCancelledError,
    DeviceError,
    FeederEmptyError,
    PaperJamError,
    PrinterPaperError,
    SignatureEmptyError,
)
from ledger_node.devices.port import Cancel
from ledger_node.devices.samples import draw_signature
from ledger_node.devices.values import (
    CardReading,
    Device,
    Picture,
    Point,
    ScannedFile,
    Signature,
)

NAMES: Final[Mapping[Device, str]] = {
    Device.READER: "模拟读卡器 SIM-R1",
    Device.CAMERA: "模拟高拍仪 SIM-C1",
    Device.SCANNER: "模拟扫描仪 SIM-S1",
    Device.PAD: "模拟签名板 SIM-P1",
    Device.PRINTER: "模拟打印机 SIM-T1",
}
TROUBLES: Final[Mapping[str, type[DeviceError]]] = {
    each.code: each
    for each in (
        CardNotPlacedError,
        CardUnreadableError,
        FeederEmptyError,
        PaperJamError,
        PrinterPaperError,
        SignatureEmptyError,
    )
}
SILENT: Final = "silent"
_OF: Final[Mapping[str, frozenset[Device]]] = {
    "card_not_placed": frozenset({Device.READER}),
    "card_unreadable": frozenset({Device.READER}),
    "feeder_empty": frozenset({Device.SCANNER}),
    "paper_jam": frozenset({Device.SCANNER, Device.PRINTER}),
    "printer_out_of_paper": frozenset({Device.PRINTER}),
    "signature_empty": frozenset({Device.PAD}),
    SILENT: frozenset(Device),
}
PAD_PX: Final = (600, 200)
MS_PER_POINT: Final = 12
SILENCE_S: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Hand:
    """What the person at the window did: the card on the reader, and what goes wrong, if any."""

    card: str
    trouble: str = ""


class Simulator:
    """Driver over a folder of samples.

    Args:
        samples: As `samples.write_samples` makes it.
        delay_s: How long each command takes.
    """

    def __init__(self, samples: Path, delay_s: float) -> None:
        self._samples, self._delay_s = samples, delay_s
        self._lock = threading.Lock()
        self.cards = sorted(path.stem for path in (samples / "cards").glob("*.json"))
        self._hand = Hand("borrower" if "borrower" in self.cards else self.cards[0])

    @property
    def names(self) -> Mapping[Device, str]:
        """All five devices."""
        return NAMES

    @property
    def hand(self) -> Hand:
        """What was set last."""
        return self._hand

    def set_hand(self, hand: Hand) -> bool:
        """Lay another card down, or make something go wrong; whether both are known."""
        known = hand.card in self.cards and (not hand.trouble or hand.trouble in _OF)
        if known:
            with self._lock:
                self._hand = hand
        return known

    def read_card(self, cancel: Cancel) -> CardReading:
        """The sample card that lies there."""
        self._work(Device.READER, cancel)
        path = self._samples / "cards" / f"{self._hand.card}.json"
        card = json.loads(path.read_text("utf-8"))
        return CardReading(
            card["scheme"], card["number"], card["name"], date.fromisoformat(card["birth"])
        )

    def capture(self, cancel: Cancel) -> Picture:
        """The first page with something on it."""
        self._work(Device.CAMERA, cancel)
        page = sorted((self._samples / "pages").glob("*-page.png"))[0]
        return Picture(page.read_bytes(), "image/png")

    def scan(self, cancel: Cancel) -> Sequence[ScannedFile]:
        """The whole sample stack, a file per sheet."""
        self._work(Device.SCANNER, cancel)
        pages = sorted((self._samples / "pages").glob("*.png"))
        return [ScannedFile(page.read_bytes()) for page in pages]

    def sign(self, cancel: Cancel) -> Signature:
        """The same two strokes every time."""
        self._work(Device.PAD, cancel)
        drawn = [
            [(60 + i * 16, 60 + (i * i) % 70) for i in range(14)],
            [(320 + i * 14, 150 - (i * 23) % 90) for i in range(15)],
        ]
        encoded = io.BytesIO()
        draw_signature(drawn, PAD_PX).save(encoded, "PNG")
        strokes, at = [], 0
        for stroke in drawn:
            strokes.append(
                tuple(Point(x, y, at + n * MS_PER_POINT) for n, (x, y) in enumerate(stroke))
            )
            at = strokes[-1][-1].at_ms + 180
        return Signature(encoded.getvalue(), tuple(strokes))

    def print_slip(self, pdf: bytes, cancel: Cancel) -> None:
        """The slip is out after the delay; it is kept nowhere."""
        del pdf
        self._work(Device.PRINTER, cancel)

    def _work(self, device: Device, cancel: Cancel) -> None:
        trouble = self._hand.trouble
        hit = device in _OF.get(trouble, frozenset())
        if cancel.wait(SILENCE_S if hit and trouble == SILENT else self._delay_s):
            raise CommandCancelledError
        if hit:
            raise TROUBLES[trouble]
