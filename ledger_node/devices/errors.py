"""Refusals of the bridge: a stable code, an HTTP status, and a sentence in both languages."""

from __future__ import annotations

from typing import ClassVar


class DeviceError(Exception):
    """Base; subclasses say what happened and what the person at the window does next."""

    code: ClassVar[str] = "device_failed"
    status: ClassVar[int] = 502
    zh: ClassVar[str] = "设备出错。请检查设备后再试。"
    en: ClassVar[str] = "The device failed; check it and try again."

    def __init__(self, retry_after_s: int | None = None) -> None:
        super().__init__(self.en)
        self.retry_after_s = retry_after_s


class HostRefusedError(DeviceError):
    """`Host` is not the bridge's own address: DNS rebinding."""

    code, status = "host_not_allowed", 403
    zh, en = "设备桥只接受本机地址。", "The bridge answers to its own loopback address only."


class OriginRefusedError(DeviceError):
    """The page is not of an origin in the settings."""

    code, status = "origin_not_allowed", 403
    zh, en = "此网站不能使用本机设备。", "This site may not use the devices of this machine."


class NotPairedError(DeviceError):
    """No token, or one that is not this origin's."""

    code, status = "not_paired", 401
    zh = "本页面还没有与设备桥配对。请到“设备”页输入配对码。"
    en = "This page is not paired with the bridge; type the pairing code on the devices page."


class PairingCodeError(DeviceError):
    """A wrong pairing code."""

    code, status = "pairing_code_wrong", 403
    zh = "配对码不对。请照设备桥窗口上显示的六位数字输入。"
    en = "That is not the pairing code; type the six digits the bridge shows."


class PairingLockedError(DeviceError):
    """Too many wrong codes; the code was changed."""

    code, status = "pairing_locked", 429
    zh = "输错次数过多，已换新的配对码。请稍候再输入。"
    en = "Too many wrong codes; the code was changed. Wait a little, then type the new one."


class DeviceBusyError(DeviceError):
    """A command of this device is under way."""

    code, status = "device_busy", 409
    zh = "设备正在使用中。请等它完成，或先取消。"
    en = "The device is in use; wait until it is done, or cancel first."


class DeviceTimeoutError(DeviceError):
    """The device did not finish in its time."""

    code, status = "device_timeout", 504
    zh, en = "设备没有在规定时间内完成。请再试一次。", "The device took too long; try again."


class CommandCancelledError(DeviceError):
    """Somebody cancelled the command."""

    code, status = "command_cancelled", 409
    zh, en = "已取消。", "Cancelled."


class DeviceAbsentError(DeviceError):
    """This window has no such device, or it is unplugged."""

    code, status = "device_absent", 503
    zh = "没有找到这个设备。请检查连线和电源。"
    en = "The device is not there; check cable and power."


class CardNotPlacedError(DeviceError):
    """Nothing lies on the reader."""

    code, status = "card_not_placed", 409
    zh = "卡未放好。请把证件平放在读卡器上再试。"
    en = "The card is not in place; lay it flat on the reader and try again."


class CardUnreadableError(DeviceError):
    """A card lies there and cannot be read."""

    code, status = "card_unreadable", 422
    zh = "证件读不出。请擦净后重试；仍读不出的，可手工填写并由第二名经办人确认。"
    en = "The card cannot be read; wipe it and try again, or type it with a second officer."


class FeederEmptyError(DeviceError):
    """No sheet in the feeder, no finished file in the folder."""

    code, status = "feeder_empty", 409
    zh, en = "没有可扫描的纸张或文件。请放入后再试。", "There is nothing to scan; put it in first."


class PaperJamError(DeviceError):
    """A sheet is stuck in scanner or printer."""

    code, status = "paper_jam", 409
    zh, en = "卡纸了。请取出纸张后重试。", "A sheet is stuck; take it out and try again."


class PrinterPaperError(DeviceError):
    """The printer has no paper."""

    code, status = "printer_out_of_paper", 409
    zh, en = "打印机缺纸。请装纸后重试。", "The printer is out of paper; fill it and try again."


class SignatureEmptyError(DeviceError):
    """Confirmed without a stroke."""

    code, status = "signature_empty", 422
    zh, en = "签名板上没有笔迹。请签名后再确认。", "Nothing was written; sign, then confirm."


class CommandMalformedError(DeviceError):
    """Body or content type are not what the command takes."""

    code, status = "device_request_malformed", 422
    zh, en = "请求内容不合格。", "The request is not what this command takes."


class CommandTooLargeError(DeviceError):
    """The body is over the command's limit."""

    code, status = "device_request_too_large", 413
    zh, en = "请求内容过大。", "The request is too large."


class CommandNotFoundError(DeviceError):
    """No such command."""

    code, status = "device_command_unknown", 404
    zh, en = "没有这个命令。", "There is no such command."


class BatchNotFoundError(DeviceError):
    """The batch is handed over, dropped, expired, or another origin's."""

    code, status = "batch_not_found", 404
    zh, en = "这批扫描已不在设备桥里。请重新扫描。", "This batch is gone; scan it again."


class BatchOrderError(DeviceError):
    """The final order names a page that is not there, or one twice, or an empty part."""

    code, status = "batch_order_wrong", 422
    zh, en = (
        "页序有误：每页只能用一次，每份至少一页。",
        "Each page once, each part at least one page.",
    )


class BatchFullError(DeviceError):
    """More than the bridge holds in memory."""

    code, status = "batch_too_large", 413
    zh, en = "这批页数或文件过多。请分几批扫描。", "The batch is too large; scan it in several."


class FileRefusedError(DeviceError):
    """A scanned file that cannot be split into pages within the limits.

    Attributes:
        reason: broken, pages, pixels, bytes, time or memory.
    """

    code, status = "scan_refused", 422
    zh = "有文件损坏或超出限制，不能拆页。请重新扫描这份材料。"
    en = "A file is damaged or over the limits; scan that paper again."

    def __init__(self, reason: str = "broken") -> None:
        super().__init__()
        self.reason = reason
