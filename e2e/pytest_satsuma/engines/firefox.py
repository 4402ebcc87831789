"""Firefox, as it comes, by WebDriver BiDi, which it speaks by itself: Playwright drives only builds of its own.

One Firefox serves many devices: each is a user context (a container), with cookies and storage of its own. Source: W3C
WebDriver BiDi.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from .driver import POLL_SECONDS, Context, Cookie, DriverError, Page, Request, Said, function_of

NAMES = ("firefox", "firefox-esr")
START_SECONDS, ANSWER_SECONDS, COMMIT_SECONDS = 60, 60, 10
LISTENING = re.compile(r"BiDi listening on (ws://\S+)")
EVENTS = (
    "log.entryAdded",
    "network.beforeRequestSent",
    "network.responseCompleted",
    "network.fetchError",
    "browsingContext.contextDestroyed",
)
NETWORK = {
    "network.beforeRequestSent": "request",
    "network.responseCompleted": "requestfinished",
    "network.fetchError": "requestfailed",
}
OWN_REMARK = re.compile(r"Cookie “.*” has been rejected")
"""Firefox's own word on a cookie, which other engines refuse silently."""
SAME_SITE = {"none": "None", "lax": "Lax", "strict": "Strict", "default": "None"}

PREFERENCES = {
    "app.normandy.enabled": False,
    "app.update.disabledForTesting": True,
    "browser.region.network.url": "",
    "browser.safebrowsing.provider.google4.updateURL": "",
    "browser.safebrowsing.provider.mozilla.updateURL": "",
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.getAddons.cache.enabled": False,
    "extensions.systemAddon.update.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "remote.active-protocols": 1,
    "services.settings.server": "data:,#remote-settings-dummy/v1",
    "toolkit.telemetry.server": "",
}
"""Against connections of the browser's own."""

NO_BACKGROUND = {
    "dom.min_background_timeout_value": 4,
    "dom.min_background_timeout_value_without_budget_throttling": 4,
    "dom.timeout.enable_budget_timer_throttling": False,
}
"""As Playwright does in Chromium: timers of a tab that isn't in front, as of all devices but one, ring in time."""

WORK = "(seconds) => { setTimeout(() => { for (const end = Date.now() + seconds * 1000; Date.now() < end; ); }, 50); }"
WORK_SECONDS, SURE_SECONDS = 20, 0.5
"""How long a page works that is to be killed, and what part of it tells its process from all others."""

LOCAL_NAMES = {"network.dns.native-is-localhost": True}


def find_firefox() -> str | None:
    """Return the path of Firefox, or None."""
    named = os.environ.get("SATSUMA_FIREFOX")
    return named or next((found for name in NAMES if (found := shutil.which(name))), None)


def missing() -> str | None:
    """Return why Firefox can't be started on this machine; None where it can."""
    return None if find_firefox() else "there is no Firefox (Debian: apt-get install firefox-esr)"


class Firefox:
    """A running Firefox."""

    def __init__(self, connection: Any, process: int) -> None:
        self._connection = connection
        self._process = process
        self._numbers = count(1)
        self.tabs: dict[str, FirefoxPage] = {}
        self._requests: dict[str, tuple[Context, Request]] = {}
        self.ask("session.new", capabilities={})
        self.ask("session.subscribe", events=[*EVENTS])

    def new_context(self) -> FirefoxContext:
        """Create a device that was never anywhere."""
        return FirefoxContext(self, self.ask("browser.createUserContext")["userContext"])

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """Give a command and return its result.

        Raises:
            DriverError: it failed, or was not answered in time.
        """
        number = next(self._numbers)
        self._connection.send(json.dumps({"id": number, "method": method, "params": params}))
        until = time.monotonic() + ANSWER_SECONDS
        while (told := self._read(until)).get("id") != number:
            if not told:
                raise DriverError(f"{method}: no answer")
            self._hear(told)
        if told["type"] == "error":
            raise DriverError(f"{method}: {told['message']}")
        result: dict[str, Any] = told["result"]
        return result

    def wait(self, seconds: float) -> None:
        """Hear what the browser tells, for so long."""
        until = time.monotonic() + seconds
        while told := self._read(until):
            self._hear(told)

    def kill_who_works(self) -> None:
        """Kill the process of the browser that has a processor to itself.

        Raises:
            DriverError: none works, or it is too busy for long.
        """
        before = _work_of_tabs(self._process)
        until = time.monotonic() + WORK_SECONDS
        while time.monotonic() < until:
            time.sleep(POLL_SECONDS)
            worked = {pid: seconds - before.get(pid, seconds) for pid, seconds in _work_of_tabs(self._process).items()}
            busiest = max(worked, key=worked.__getitem__, default=None)
            if busiest is not None and worked[busiest] >= SURE_SECONDS:
                os.kill(busiest, signal.SIGKILL)
                return
        raise DriverError("no process of Firefox could be seen to work for the tab that is to be killed")

    def _read(self, until: float) -> dict[str, Any]:
        """Return the next message; an empty one where none comes in time."""
        try:
            told: dict[str, Any] = json.loads(self._connection.recv(timeout=max(until - time.monotonic(), 0.001)))
        except TimeoutError:
            return {}
        return told

    def _hear(self, told: dict[str, Any]) -> None:
        method, detail = told.get("method"), told.get("params", {})
        if method == "browsingContext.contextDestroyed":
            if tab := self.tabs.get(detail["context"]):
                tab.destroyed()
        elif method == "log.entryAdded":
            tab = self.tabs.get(detail["source"].get("context") or "")
            if tab and not OWN_REMARK.match(str(detail["text"])):
                kind = "warning" if detail["level"] == "warn" else str(detail["level"])
                tab.context.tell("console", Said(kind, str(detail["text"])))
        elif method in NETWORK:
            self._travelled(NETWORK[method], detail)

    def _travelled(self, event: str, detail: dict[str, Any]) -> None:
        number, tab = detail["request"]["request"], self.tabs.get(detail["context"] or "")
        if event == "request" and tab:
            request = Request(detail["request"]["method"], detail["request"]["url"])
            self._requests[number] = (tab.context, request)
            tab.context.tell(event, request)
        elif event != "request" and (known := self._requests.pop(number, None)):
            known[0].tell(event, known[1])


class FirefoxContext(Context):
    """One container of Firefox."""

    engine = "firefox"

    def __init__(self, browser: Firefox, number: str) -> None:
        super().__init__()
        self.browser = browser
        self._number = number

    def new_page(self) -> FirefoxPage:
        made = self.browser.ask("browsingContext.create", type="tab", userContext=self._number)
        return FirefoxPage(self, made["context"])

    def add_init_script(self, script: str) -> None:
        function = f"() => {{ {script} }}"
        self.browser.ask("script.addPreloadScript", functionDeclaration=function, userContexts=[self._number])

    def set_offline(self, offline: bool) -> None:
        conditions = {"type": "offline"} if offline else None
        self.browser.ask("emulation.setNetworkConditions", networkConditions=conditions, userContexts=[self._number])

    def close(self) -> None:
        self.browser.ask("browser.removeUserContext", userContext=self._number)
        for page in [*self.pages]:
            page.destroyed()

    @property
    def _partition(self) -> dict[str, str]:
        return {"type": "storageKey", "userContext": self._number}

    def _all_cookies(self) -> list[Cookie]:
        found = self.browser.ask("storage.getCookies", partition=self._partition)["cookies"]
        names = ("name", "domain", "path", "httpOnly", "secure")
        return [
            {
                **{name: one[name] for name in names},
                "value": one["value"]["value"],
                "expires": one.get("expiry", -1),
                "sameSite": SAME_SITE[one["sameSite"]],
            }
            for one in found
        ]

    def _add_cookie(self, cookie: Cookie) -> None:
        told = {name: cookie[name] for name in ("name", "domain", "path", "httpOnly", "secure")}
        told |= {"value": {"type": "string", "value": cookie["value"]}, "sameSite": cookie["sameSite"].lower()}
        if cookie["expires"] != -1:
            told["expiry"] = int(cookie["expires"])
        self.browser.ask("storage.setCookie", cookie=told, partition=self._partition)

    def _delete_cookie(self, cookie: Cookie) -> None:
        chosen = {name: cookie[name] for name in ("name", "domain", "path")}
        self.browser.ask("storage.deleteCookies", filter=chosen, partition=self._partition)


class FirefoxPage(Page):
    """One tab of Firefox."""

    context: FirefoxContext

    def __init__(self, context: FirefoxContext, number: str) -> None:
        super().__init__(context)
        self._browser, self._number = context.browser, number
        self._browser.tabs[number] = self

    def destroyed(self) -> None:
        """Take note that the tab is no longer there."""
        self._browser.tabs.pop(self._number, None)
        if not self._closed:
            self._gone()

    def close(self, run_before_unload: bool = False) -> None:
        if not self._closed:
            self._browser.ask("browsingContext.close", context=self._number, promptUnload=run_before_unload)
            self.destroyed()

    def _go(self, url: str, until_loaded: bool) -> None:
        before, wait = self.url, "complete" if until_loaded else "none"
        self._browser.ask("browsingContext.navigate", context=self._number, url=url, wait=wait)
        until = time.monotonic() + COMMIT_SECONDS
        while not until_loaded and self.url == before and time.monotonic() < until:
            self.wait_for_timeout(POLL_SECONDS * 1000)

    def wait_for_timeout(self, milliseconds: float) -> None:
        self._browser.wait(milliseconds / 1000)

    def add_init_script(self, script: str) -> None:
        function = f"() => {{ {script} }}"
        self._browser.ask("script.addPreloadScript", functionDeclaration=function, contexts=[self._number])

    def kill(self) -> None:
        """Let the tab's process die, and all tabs with it that it has.

        The protocol doesn't tell which process that is: the page is made to work, and it is the one that does.
        """
        self.evaluate(WORK, WORK_SECONDS)
        self._browser.kill_who_works()

    @property
    def url(self) -> str:
        if self._closed:
            return "about:blank"
        tree = self._browser.ask("browsingContext.getTree", root=self._number, maxDepth=0)
        return str(tree["contexts"][0]["url"])

    def _call(self, script: str, argument: str) -> str:
        told = self._browser.ask(
            "script.callFunction",
            functionDeclaration=function_of(script),
            arguments=[{"type": "string", "value": argument}],
            target={"context": self._number},
            awaitPromise=True,
        )
        if told["type"] == "exception":
            raise DriverError(told["exceptionDetails"]["text"])
        return str(told["result"]["value"])


def write_preferences(profile: Path, preferences: Mapping[str, Any]) -> None:
    """Write the preferences of a new profile."""
    lines = (f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in preferences.items())
    (profile / "user.js").write_text("".join(lines))


@contextmanager
def firefox(local_names: bool = False) -> Iterator[Firefox]:
    """Start a Firefox that has never been anywhere, without a window.

    Args:
        local_names: all names lead to this machine.

    Raises:
        RuntimeError: it did not start, or what speaks with it is not installed.
    """
    try:
        from websockets.sync.client import connect
    except ImportError as error:
        raise RuntimeError("to drive Firefox, install websockets: pip install 'pytest-satsuma[firefox]'") from error
    with TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        names = LOCAL_NAMES if local_names else {}
        write_preferences(Path(profile), {**PREFERENCES, **NO_BACKGROUND, **names})
        options = ["--headless", "--no-remote", "--profile", profile, "--remote-debugging-port=0", "about:blank"]
        said = Path(profile, "said")
        with said.open("w") as stderr:
            program = str(find_firefox())
            process = subprocess.Popen([program, *options], stdout=subprocess.DEVNULL, stderr=stderr)
        try:
            with connect(f"{_address(process, said)}/session", max_size=None) as connection:
                yield Firefox(connection, process.pid)
        finally:
            process.terminate()
            process.wait(START_SECONDS)


def _work_of_tabs(process: int) -> dict[int, float]:
    """Return the seconds of processor that each process of tabs of a Firefox has used. Source: proc(5)."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = re.split(rb"[\0 ]", (folder / "cmdline").read_bytes())
            if b"-isForBrowser" in words and words[words.index(b"-parentPid") + 1] == b"%d" % process:
                user, system = (folder / "stat").read_text().rpartition(")")[2].split()[11:13]
                found[int(folder.name)] = (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
    return found


def _address(process: subprocess.Popen[bytes], said: Path) -> str:
    until = time.monotonic() + START_SECONDS
    while not (found := LISTENING.search(said.read_text())):
        if process.poll() is not None or time.monotonic() > until:
            raise RuntimeError(f"Firefox did not start: {said.read_text()}")
        time.sleep(0.05)
    return found[1]
