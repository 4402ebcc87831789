"""docs/walkthrough.md, walked line by line: what it tells to open, fill and press, and what is to be seen then."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Error
from pytest_satsuma import Visitor

DOCUMENT = Path(__file__).parents[2] / "docs" / "walkthrough.md"
DEED = re.compile(
    r"[Oo]pen `(?P<open>/[^`]*)`|[Pp]ress \*\*(?P<press>[^*]+)\*\*|\*\*(?P<field>[^*]+)\*\*\s+with\s+`(?P<text>[^`]+)`"
    r"|See\s+“(?P<see>[^”]+)”"
)
SECONDS = 60


def deeds() -> list[dict[str, str]]:
    """Return what the numbered lines say, in order."""
    numbered = re.findall(r"^\d+\. .*?(?=\n\n|\n\d+\. |\Z)", DOCUMENT.read_text(), re.M | re.S)
    found = DEED.finditer(" ".join(" ".join(numbered).split()))
    return [{kind: text for kind, text in match.groupdict().items() if text} for match in found]


class Walk:
    """Somebody who does as the page says."""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor = visitor
        self.page = visitor.page

    def take(self, deed: dict[str, str]) -> None:
        """Do one thing, or see it."""
        match deed:
            case {"open": path}:
                self.page.goto(self.visitor.base_url + path)
            case {"press": name}:
                button = self.page.get_by_role("button", name=name, exact=True)
                self.visitor.until(button.is_enabled, f"{name} to be pressed", SECONDS)
                button.click()
            case {"field": label, "text": text}:
                self.page.get_by_label(label, exact=True).fill(text)
            case {"see": text}:
                self.visitor.until(lambda: self.shows(text), f"“{text}” to be seen", SECONDS)

    def shows(self, text: str) -> bool:
        """Tell whether a text can be seen; a page that is just changing shows nothing."""
        try:
            shown = self.page.evaluate("() => document.body && document.body.innerText || ''")
        except Error:
            return False
        return " ".join(text.split()) in " ".join(shown.split())


def test_the_walkthrough_is_as_it_says(visitor: Visitor) -> None:
    todo = deeds()
    assert len(todo) > 30
    walk = Walk(visitor)
    for deed in todo:
        walk.take(deed)
