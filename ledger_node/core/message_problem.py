"""What can be wrong with a signed message; each with a stable code. Spec: docs/spec/messages.md."""

from __future__ import annotations

from ledger_node.core.errors import VerificationError
from ledger_node.core.types import CityId


class MessageUnsignedError(VerificationError):
    """A header, component or parameter the profile wants is missing, or stands twice.

    Fields: missing.
    """

    code = "message_unsigned"

    def __init__(self, missing: str) -> None:
        super().__init__(
            f"消息签名不完整：{missing}。",
            f"the message is not signed as required: {missing}.",
            missing=missing,
        )


class MessageSignatureError(VerificationError):
    """The signature does not hold for these bytes, or a part of it is not well formed.

    Fields: part.
    """

    code = "message_signature_invalid"

    def __init__(self, part: str) -> None:
        super().__init__(
            f"消息签名不成立：{part}。", f"the message signature does not hold: {part}.", part=part
        )


class MessageKeyUnknownError(VerificationError):
    """The key is no current, trusted message key of the city it names.

    Fields: city.
    """

    code = "message_key_unknown"

    def __init__(self, city: CityId) -> None:
        super().__init__(
            f"{city} 没有登记这把消息密钥，或已失效。",
            f"this is no current message key of {city}.",
            city=city,
        )


class MessageNotCurrentError(VerificationError):
    """Older than five minutes, expired, or more than five seconds ahead.

    Fields: parameter.
    """

    code = "message_not_current"

    def __init__(self, parameter: str) -> None:
        super().__init__(
            "消息已过期或时间超前，请核对时钟后重发。",
            f"the message is too old or from the future ({parameter}); check the clock, resend.",
            parameter=parameter,
        )


class MessageBodyMismatchError(VerificationError):
    """The body is empty or not the one that was signed."""

    code = "message_body_mismatch"

    def __init__(self) -> None:
        super().__init__("消息正文与签名不符。", "the body is not the one that was signed.")
