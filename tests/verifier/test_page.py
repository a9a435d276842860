"""The page as built: its policy lets in exactly the one script and the one style sheet it holds."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "verifier" / "dist" / "verify.html"


def test_page_policy_names_the_digests_of_its_own_script_and_style() -> None:
    html = PAGE.read_text("utf-8")
    policy = re.search(r'http-equiv="Content-Security-Policy"\s+content="([^"]+)"', html)
    assert policy is not None
    assert policy[1].startswith("default-src 'none'; ")
    assert "unsafe" not in policy[1]
    for tag, source in (("script", "script-src"), ("style", "style-src")):
        [content] = re.findall(rf"<{tag}[^>]*>(.*?)</{tag}>", html, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{source} 'sha256-{digest}'" in policy[1]
    without = re.sub(r"<(script|style)[^>]*>.*?</\1>", "", html, flags=re.DOTALL)
    assert not re.search(r"\b(?:src|href|style|on[a-z]+)=", without)
