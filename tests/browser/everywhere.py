"""Looking at a page in both languages, at both sizes, and in large letters."""

from __future__ import annotations

from urllib.parse import urljoin

from playwright.sync_api import Page

from tests.browser.at_window import look

LANGUAGES = ("zh", "en")


def speak(page: Page, *, language: str = "", size: str = "") -> None:
    """Choose language or letters for this browser, as the button of the page does."""
    given = {"tb-language": language, "tb-size": size}
    root = urljoin(page.url, "/")  # a cookie of the whole site, as the button's is
    page.context.add_cookies(
        [{"name": name, "value": value, "url": root} for name, value in given.items() if value]
    )


def look_everywhere(page: Page, name: str, *, large: bool = False) -> None:
    """Pictures of the page that is open, zh and en, phone and desk, and what axe says of each; for
    a page that may be opened again. `large`: in large letters, too."""
    before = page.evaluate("document.documentElement.lang.slice(0, 2)")
    for language in LANGUAGES:
        speak(page, language=language)
        open_again(page)
        assert page.locator(f"html[lang^={language}]").count() == 1
        look(page, name)
    if large:
        speak(page, size="large")
        open_again(page)
        assert page.locator("html.size-large").count() == 1
        look(page, f"{name}-large")
        speak(page, size="plain")
    speak(page, language=before)
    open_again(page)


def open_again(page: Page) -> None:
    """Reload; a page that says an error instead is not looked at in good faith."""
    answer = page.reload()
    assert answer is not None
    assert answer.ok, f"{page.url}: {answer.status} {page.inner_text('main')}"


def look_at_path(page: Page, address: str, name: str, *, large: bool = False) -> None:
    """As `look_everywhere`, at another address of this city."""
    page.goto(address)
    look_everywhere(page, name, large=large)
