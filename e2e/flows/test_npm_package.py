"""npm's package: analytics-next's ``AnalyticsBrowser`` on top of our own snippet, for apps with a bundler."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from flows.compiler import OURS, REFERENCE, compiled, write_npm_package
from pytest_satsuma import Visitor
from satsuma_server.testing import Collector, serving
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Route

Stored = Callable[..., dict[str, Any]]

APP = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Bundled</title><link rel="icon" href="data:,">
<script>{before}</script><script type="module">{script}</script></html>"""

LOAD = """
import {{ AnalyticsBrowser }} from "/package/index.js";
window.loaded = AnalyticsBrowser.load({{ writeKey: "bundled", cdnURL: "{url}/" }}, {options});
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the package's files."""
    return write_npm_package(tmp_path_factory.mktemp("npm") / "package")


@pytest.fixture
def served(package: Path) -> Iterator[Callable[..., str]]:
    """A function that gives the address of a site with a page that runs a module, and another script before it."""
    pages: dict[str, str] = {}

    async def library(asked: Request) -> Response:
        return FileResponse(package / asked.path_params["name"], media_type="text/javascript")

    async def page(asked: Request) -> Response:
        return HTMLResponse(pages["page"])

    with serving(Starlette(routes=[Route("/package/{name}", library), Route("/{path:path}", page)])) as url:

        def serve(script: str, before: str = "") -> str:
            pages["page"] = APP.format(script=script, before=before)
            return url

        yield serve


@pytest.fixture
def site(served: Callable[..., str], collector: Collector) -> str:
    """The same site, with a page that loads the package and calls nothing."""
    return served(LOAD.format(url=collector.url, options="{}"))


def test_types_of_ours_and_of_analytics_next_let_pass_the_same_code(package: Path, tmp_path: Path) -> None:
    """Both for a page with the snippet and for a bundled app; `test_typescript.py` compiles the page with theirs."""
    (tmp_path / "theirs").mkdir()
    (tmp_path / "ours").mkdir()
    ours = package / "index.d.ts"
    compiled(tmp_path / "theirs", ("bundled.ts", "names.ts"), {OURS: ours})
    compiled(tmp_path / "ours", ("page.ts", "bundled.ts"), {REFERENCE: ours})


def told_on_node(script: Path) -> dict[str, Any]:
    """Return what a module exports as ``told``."""
    code = f"import('{script}').then(({{ told }}) => console.log(JSON.stringify(told)))"
    done = subprocess.run(["node", "-e", code], capture_output=True, text=True, timeout=60, check=True)
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def test_what_plugins_are_written_with_is_as_in_analytics_next(package: Path, tmp_path: Path) -> None:
    """The code is compiled with either library's types, and run with either library."""
    told = {}
    for name, types, stands_for in (("theirs", {}, REFERENCE), ("ours", {REFERENCE: package / "index.d.ts"}, None)):
        (tmp_path / name).mkdir()
        script = compiled(tmp_path / name, ("building_blocks.ts",), types)["building_blocks.ts"]
        module = tmp_path / name / "told.mjs"
        module.write_text(script.replace(f'"{REFERENCE}"', f'"{stands_for or package / "index.js"}"'))
        told[name] = told_on_node(module)
    assert told["ours"] == told["theirs"]
    assert [len(answers) for answers in told["ours"]["resolved"]] == [38] * 4


def test_the_global_of_the_source_that_was_loaded_last_is_found(
    visitor: Visitor, served: Callable[..., str], collector: Collector
) -> None:
    module = """import {{ AnalyticsBrowser, getGlobalAnalytics }} from "/package/index.js";
      window.found = [getGlobalAnalytics() === undefined];
      const own = AnalyticsBrowser.load({{ writeKey: "bundled", cdnURL: "{url}" }}, {{ globalAnalyticsKey: "own" }});
      found.push(getGlobalAnalytics() === window.own && Array.isArray(window.own));
      window.loaded = own.then(([instance]) => found.push(getGlobalAnalytics() === instance));"""
    visitor.page.goto(served(module.format(url=collector.url)))
    assert visitor.evaluate("() => loaded.then(() => found)") == [True, True, True]


def test_every_call_of_a_bundled_app_is_answered(
    visitor: Visitor, served: Callable[..., str], collector: Collector, package: Path, tmp_path: Path
) -> None:
    """The code is written for analytics-next, whose name is exchanged for ours."""
    script = compiled(tmp_path, ("bundled.ts",), {REFERENCE: package / "index.d.ts"})["bundled.ts"]
    url = served(script.replace(REFERENCE, "/package/index.js"))
    visitor.page.goto(f"{url}/?{urlencode({'key': 'bundled', 'cdn': collector.url})}")
    told: dict[str, Any] = visitor.evaluate("() => told")
    assert told["events"] == [
        ["track", "Before loading"],
        ["identify", None],
        ["page", "Cart"],
        ["screen", "Start"],
        ["group", None],
        ["alias", None],
        ["track", "Ordered"],
    ]
    assert told["properties"][0] == told["properties"][-1] == "EUR", "plugins see earlier calls"
    assert told["identity"] == ["u1", {"plan": "pips"}, "g1", "string"]
    assert (told["started"], told["same"]) == (True, [True, 0, True, "string"])
    assert told["chained"] == [True] * 7
    assert (told["anonymous"], told["reset"], told["caught"]) == ("a1", True, True)
    assert {"function", "page", "Before loading", "Ordered"} <= set(told["heard"])
    names = [event.get("event") or event["type"] for event in collector.wait_for(lambda events: len(events) >= 8)]
    assert names[:7] == ["Before loading", "identify", "page", "screen", "group", "alias", "Ordered"]


def test_a_page_is_counted_only_when_the_app_says_so(
    visitor: Visitor, served: Callable[..., str], collector: Collector
) -> None:
    for options, pages in (("{}", 0), ("{initialPageview: true}", 1)):
        visitor.page.goto(served(LOAD.format(url=collector.url, options=options)))
        visitor.evaluate("async () => { await loaded; await loaded.flush() }")
        assert [event["type"] for event in collector.events()] == ["page"] * pages


def test_who_leaves_before_python_is_up_is_told_of(
    visitor: Visitor, served: Callable[..., str], collector: Collector, stored: Stored
) -> None:
    visitor.page.route("**/python.wasm", lambda route: None)
    call = 'loaded.track("Left Early", {n: 1}); loaded.identify("u1");'
    visitor.page.goto(served(LOAD.format(url=collector.url, options="{}") + call))
    visitor.page.goto("about:blank")
    left = stored("track", "Left Early")
    assert left["properties"] == {"n": 1}
    assert stored("identify")["userId"] == "u1"


def test_the_name_of_another_library_is_left_to_it(
    visitor: Visitor, served: Callable[..., str], collector: Collector, stored: Stored
) -> None:
    module = LOAD.format(url=collector.url, options="{}") + 'loaded.track("Beside");'
    visitor.page.goto(served(module, before="window.analytics = {track: () => 'theirs'};"))
    stored("track", "Beside")
    assert visitor.evaluate("() => analytics.track()") == "theirs"
    asked = LOAD.format(url=collector.url, options="{globalAnalyticsKey: 'theirs'}")
    visitor.page.goto(served(asked, before="window.theirs = {};"))
    assert "window.theirs is taken" in visitor.evaluate("() => loaded.catch((error) => error.message)")


def test_a_source_that_is_loaded_twice_is_one(
    visitor: Visitor, site: str, collector: Collector, stored: Stored
) -> None:
    """React's strict mode and a module that is exchanged as one develops load again; so may a page with the snippet."""
    visitor.page.goto(site)
    visitor.evaluate(
        """async (url) => {
          const { AnalyticsBrowser } = await import("/package/index.js");
          const load = () => AnalyticsBrowser.load({ writeKey: "bundled", cdnURL: url });
          await load().track("Second");
          const [late] = await load();
          if (late !== (await loaded)[0] || late !== window.analytics) throw new Error("two sources");
          await load().track("Third");
        }""",
        collector.url,
    )
    stored("track", "Third")
    assert [event["event"] for event in collector.events()] == ["Second", "Third"]


def test_what_is_called_before_loading_is_bounded(
    visitor: Visitor, served: Callable[..., str], collector: Collector
) -> None:
    """An app that loads only once its visitor has agreed may wait for days."""
    module = """import { AnalyticsBrowser } from "/package/index.js";
      const analytics = new AnalyticsBrowser();
      for (let n = 0; n < 1003; n++) analytics.track("Waited", {n});
      window.load = async (cdnURL) => (await analytics.load({ writeKey: "bundled", cdnURL }).flush()).queued;"""
    visitor.page.goto(served(module))
    assert visitor.evaluate("(url) => load(url)", collector.url) == 0
    assert [event["properties"]["n"] for event in collector.events()] == list(range(1000))


BROUGHT = """
import {{ AnalyticsBrowser }} from "/package/index.js";
window.seen = [];
const factory = (settings) => ({{ name: "action", type: "destination", version: "1", isLoaded: () => true,
  load: async () => {{ seen.push(["load", settings]); }},
  track: (c) => {{ seen.push(["action", c.event.event]); return c; }} }});
factory.pluginName = "Brought";
const unasked = () => {{ throw new Error("the settings name none of this name"); }};
unasked.pluginName = "Unasked";
class Classic {{
  constructor(options) {{ seen.push(["made", options]); this.all = {{}}; }}
  once(name, listener) {{ (this.all[name] ??= []).push(listener); }}
  on(name, listener) {{ this.once(name, listener); }}
  initialize() {{ for (const name of ["initialize", "ready"]) this.all[name].forEach((listener) => listener()); }}
  invoke(method, event) {{ seen.push(["classic", event.event()]); }}
}}
Classic.prototype.name = "Old";
const generator = () => {{}};
generator.Integration = class extends Classic {{}};
generator.Integration.prototype.name = "Older";
const cdnSettings = {{
  integrations: {{ "Segment.io": {{}}, Brought: {{ k: 2 }}, Old: {{ k: 3 }} }},
  remotePlugins: [
    {{ name: "Brought", creationName: "Brought", libraryName: "none", url: "{url}/none.js", settings: {{ a: 1 }} }},
  ],
}};
window.loaded = AnalyticsBrowser.load(
  {{ writeKey: "bundled", cdnURL: "{url}", cdnSettings, plugins: [factory, unasked],
    classicIntegrations: [Classic, generator, class {{}}] }},
  {{ integrations: {{ Older: {{ own: 1 }} }} }},
);
"""


def test_destinations_and_settings_that_an_app_brings_along_are_not_asked_for(
    visitor: Visitor, served: Callable[..., str], collector: Collector, stored: Stored
) -> None:
    asked: list[str] = []
    visitor.page.on("request", lambda request: asked.append(request.url))
    visitor.page.goto(served(BROUGHT.format(url=collector.url)))
    seen = visitor.evaluate(
        "async () => { await loaded; await (await loaded)[0].ready(); await loaded.track('Ordered'); return seen; }"
    )
    assert sorted(map(str, seen)) == sorted(
        map(
            str,
            [
                ["made", {"k": 3}],
                ["made", {}],
                ["load", {"a": 1, "k": 2}],
                ["action", "Ordered"],
                ["classic", "Ordered"],
                ["classic", "Ordered"],
            ],
        )
    )
    # Settings without a host mean the collector that has served the loader.
    stored("track", "Ordered")
    assert not [url for url in asked if url.endswith(("/settings", "/none.js"))]


@pytest.mark.parametrize("missing", ["**/settings", "**/analytics.min.js"])
def test_an_app_hears_that_its_source_could_not_be_loaded(
    visitor: Visitor, served: Callable[..., str], collector: Collector, stored: Stored, missing: str
) -> None:
    visitor.page.route(missing, lambda route: route.fulfill(status=403, body="Forbidden"))
    module = LOAD.format(url=collector.url, options="{}") + 'loaded.track("Kept");'
    visitor.page.goto(served(module))
    assert visitor.evaluate("() => loaded.then(() => 'loaded', () => 'refused')") == "refused"
    visitor.page.goto("about:blank")
    stored("track", "Kept")
    visitor.errors.clear()  # The browser itself tells of the answer, and the loader of the settings.


def test_on_a_server_it_says_where_it_belongs(package: Path) -> None:
    script = f"""
    const {{ AnalyticsBrowser }} = await import("{package / "index.js"}");
    const analytics = AnalyticsBrowser.load({{ writeKey: "k", cdnURL: "https://collector.test" }});
    analytics.track("Rendered");
    analytics.on("track", () => {{}}).page();
    console.log(await analytics.user().catch((error) => error.message));
    """
    done = subprocess.run(
        ["node", "--input-type=module", "-e", script], capture_output=True, text=True, timeout=60, check=True
    )
    assert "needs a page" in done.stdout
    assert done.stderr == ""
