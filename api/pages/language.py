"""How a page speaks: Chinese or English, plain or large, dates and numbers of the place.

Texts stand in the templates as pairs (`t("中文", "English")`), as the sentences of errors do: no
text can miss its translation. The choice of language and size is a cookie of this browser; it says
nothing about a person.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Final

from babel import Locale
from babel.dates import format_date, format_datetime, format_timedelta
from babel.numbers import format_decimal
from fastapi import Request

LANGUAGE_COOKIE: Final = "tb-language"
SIZE_COOKIE: Final = "tb-size"
LANGUAGES: Final = ("zh", "en")
SIZES: Final = ("plain", "large")
CHINA: Final = timezone(timedelta(hours=8), "Asia/Shanghai")
LATEST_S: Final = 253_402_214_400  # the last days of 9999: a contract takes any 64-bit number

_LOCALES = {"zh": Locale.parse("zh_CN"), "en": Locale.parse("en_GB")}
_HTML_LANGUAGE = {"zh": "zh-CN", "en": "en"}


@dataclass(frozen=True, slots=True)
class Speech:
    """Language (`zh` or `en`) and size (`plain` or `large`) of one answer."""

    language: str
    size: str

    @property
    def html_language(self) -> str:
        """Value of the `lang` attribute."""
        return _HTML_LANGUAGE[self.language]

    def t(self, zh: str, en: str) -> str:
        """The text in the reader's language."""
        return zh if self.language == "zh" else en

    def day(self, value: date | datetime | str | None) -> str:
        """A day, in China's time; an em dash for none. Text is an ISO 8601 day."""
        if value is None or value == "":
            return "—"
        if isinstance(value, str):
            value = date.fromisoformat(value[:10])
        if isinstance(value, datetime):
            value = value.astimezone(CHINA).date()
        return format_date(value, "long", _LOCALES[self.language])

    def moment(self, value: datetime | int | float | None) -> str:
        """A time to the minute, in China's time. Numbers are Unix seconds."""
        if value is None:
            return "—"
        if not isinstance(value, datetime):
            value = datetime.fromtimestamp(min(value, LATEST_S), UTC)
        local = value.astimezone(CHINA)
        pattern = "y年M月d日 HH:mm" if self.language == "zh" else "d MMM y, HH:mm"
        return format_datetime(local, pattern, locale=_LOCALES[self.language])

    def span(self, seconds: float) -> str:
        """A length of time in words: `3分钟`, `3 minutes`."""
        return format_timedelta(timedelta(seconds=seconds), locale=_LOCALES[self.language])

    def number(self, value: float) -> str:
        """A number with the separators of the place."""
        return format_decimal(value, locale=_LOCALES[self.language])


def read_speech(request: Request) -> Speech:
    """What this browser chose; Chinese, or English where the browser asks for it first."""
    language = request.cookies.get(LANGUAGE_COOKIE, "")
    if language not in LANGUAGES:
        preferred = request.headers.get("accept-language", "zh").lower()
        language = "en" if preferred.startswith("en") else "zh"
    size = request.cookies.get(SIZE_COOKIE, "")
    return Speech(language, size if size in SIZES else "plain")
