"""An app that runs Pyodide already: the shop's notebook, with the real micropip, in an interpreter that isn't ours."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytest_satsuma import Visitor
from satsuma import __version__
from satsuma_server.testing import Collector

README = Path(__file__).parents[2] / "README.md"
Stored = Callable[..., dict[str, Any]]


@pytest.fixture
def notebook(visitor: Visitor) -> Callable[..., str]:
    """A function that runs a cell (the one that is there unless another is given) and returns what it printed."""
    visitor.page.goto(f"{visitor.base_url}/notebook")

    def run(code: str | None = None) -> str:
        if code is not None:
            visitor.page.fill("#code", code)
        visitor.page.click("#run")
        visitor.until(lambda: visitor.page.inner_text("#state") in ("done", "stopped by an error"), "the cell", 60)
        output = visitor.page.inner_text("#output")
        assert visitor.page.inner_text("#state") == "done", output
        return output

    return run


def test_the_readmes_lines_run_in_an_app_of_pyodide(
    notebook: Callable[..., str], visitor: Visitor, collector: Collector, stored: Stored
) -> None:
    (code,) = re.findall(r"```python\n(import micropip.*?)```", README.read_text(), re.S)
    output = notebook(code.replace("https://collector.example", collector.url))
    opened = stored("track", "Notebook Opened")
    assert opened["properties"] == {"cells": 12}
    assert opened["userId"] == visitor.identity.user_id == "97980cfea0067"
    assert opened["anonymousId"] == visitor.identity.anonymous_id
    assert stored("identify")["traits"] == {"plan": "premium"}
    assert f"97980cfea0067 {opened['anonymousId']}" in output


def test_the_notebook_and_the_shop_know_one_visitor(
    notebook: Callable[..., str], visitor: Visitor, stored: Stored
) -> None:
    assert "stored: True" in notebook()
    visitor.visit("/")
    assert stored("page")["anonymousId"] == stored("track", "Notebook Opened")["anonymousId"]


def test_a_page_whose_elements_are_called_as_its_properties_is_told_of_as_it_is(
    notebook: Callable[..., str], visitor: Visitor, collector: Collector, stored: Stored
) -> None:
    title = visitor.page.title()
    visitor.evaluate(
        """() => {
            for (const name of ["title", "cookie", "referrer", "querySelector", "visibilityState", "addEventListener"])
                document.body.insertAdjacentHTML("beforeend", `<form name="${name}"></form>`);
        }"""
    )
    notebook(
        f"""
        import micropip
        await micropip.install("{collector.url}/analytics.js/satsuma-{__version__}-py3-none-any.whl")
        from satsuma.platforms.browser import load
        analytics = load("my-site", "{collector.url}")
        analytics.identify("u1")
        await analytics.track("Opened")
        """.replace("        ", "")
    )
    opened = stored("track", "Opened")
    page = opened["context"]["page"]
    assert (page["title"], page["referrer"]) == (title, "")
    assert visitor.identity.cookie_user_id == visitor.identity.user_id == "u1"
