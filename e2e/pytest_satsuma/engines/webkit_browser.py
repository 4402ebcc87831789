"""A browser of WebKitGTK that does what it is told on a socket. The system's own Python runs it, which has PyGObject.

WebDriver of WebKitGTK 2.50 has no scripts that run before a page's own, no cookies of a page that isn't open, and no
way to kill a tab's process. The library has all of it. One process is one device, with nothing kept on disk.

Each line from the socket is a command, ``[number, name, arguments]``. Each is answered by a line ``[number, result,
error]``. What happens by itself is told by lines ``[null, event, detail]``.
"""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Callable, Sequence
from typing import Any

import gi

gi.require_version("Gtk", "3.0")
gi.require_version("Soup", "3.0")
gi.require_version("WebKit2", "4.1")
from gi.repository import GLib, Gtk, Soup, WebKit2  # noqa: E402

Answer = Callable[..., None]

SAME_SITE = {
    "None": Soup.SameSitePolicy.NONE,
    "Lax": Soup.SameSitePolicy.LAX,
    "Strict": Soup.SameSitePolicy.STRICT,
}

NOWHERE = "http://127.0.0.1:9"
"""The port is for a service that nobody runs (RFC 863, discard)."""

COMPLAIN = """{
  const { messageHandlers: { said } } = webkit, { stringify } = JSON;
  const tell = (type, text) => said.postMessage(stringify([type, String(text)]));
  addEventListener("error", ({ message }) => message && tell("error", message));
  addEventListener("unhandledrejection", ({ reason }) => tell("error", `unhandled: ${reason}`));
  for (const [name, type] of Object.entries({ error: "error", warn: "warning", debug: "debug" })) {
    const write = console[name];
    console[name] = (...texts) => { tell(type, texts.join(" ")); write.apply(console, texts); };
  }
}"""
"""The library tells no application what a page writes to its console."""


class Browser:
    """One device and its tabs."""

    def __init__(self, line: socket.socket, proxy: str) -> None:
        self._line = line.makefile("rw", encoding="utf-8")
        self._context = WebKit2.WebContext.new_ephemeral()
        self._proxy = proxy
        self._set_proxy(proxy)
        self._jar = self._context.get_cookie_manager()
        self._scripts: list[str] = []
        self._tabs: dict[int, Any] = {}
        self._opened = 0
        self._requests = 0
        self._blocks_cookies = False
        GLib.io_add_watch(line.fileno(), GLib.PRIORITY_DEFAULT, GLib.IOCondition.IN | GLib.IOCondition.HUP, self._read)

    def _set_proxy(self, proxy: str, direct: Sequence[str] = ("127.0.0.1", "localhost")) -> None:
        manager, mode = self._context.get_website_data_manager(), WebKit2.NetworkProxyMode
        if proxy:
            manager.set_network_proxy_settings(mode.CUSTOM, WebKit2.NetworkProxySettings.new(proxy, [*direct]))
        else:
            manager.set_network_proxy_settings(mode.NO_PROXY, None)

    def _read(self, *_: object) -> bool:
        text = self._line.readline()
        if not text:
            Gtk.main_quit()
            return False
        number, name, arguments = json.loads(text)

        def answer(result: object = None, error: str | None = None) -> None:
            self._write([number, result, error])

        try:
            getattr(self, f"do_{name}")(answer, **arguments)
        except Exception as error:
            answer(error=f"{type(error).__name__}: {error}")
        return True

    def _write(self, told: object) -> None:
        self._line.write(json.dumps(told) + "\n")
        self._line.flush()

    # Tabs

    def do_open(self, answer: Answer) -> None:
        manager = WebKit2.UserContentManager()
        manager.connect("script-message-received::said", self._complained)
        manager.register_script_message_handler("said")
        for script in [COMPLAIN, *self._scripts]:
            manager.add_script(_user_script(script))
        view = WebKit2.WebView(web_context=self._context, user_content_manager=manager)
        view.connect("resource-load-started", self._loading)
        if self._blocks_cookies:
            _block_cookies(view)
        window = Gtk.Window(default_width=1280, default_height=800)
        window.add(view)
        window.show_all()
        self._opened += 1
        self._tabs[self._opened] = view
        answer(self._opened)

    def _complained(self, _: object, message: Any) -> None:
        self._write([None, "said", [message.get_js_value().to_string()]])

    def _loading(self, _: object, resource: Any, request: Any) -> None:
        self._requests += 1
        number = self._requests
        self._write([None, "request", [number, request.get_http_method() or "GET", request.get_uri()]])
        resource.connect("finished", lambda *_: self._write([None, "requestfinished", [number]]))
        resource.connect("failed", lambda *_: self._write([None, "requestfailed", [number]]))

    def do_goto(self, answer: Answer, tab: int, url: str, until_loaded: bool) -> None:
        view, failed, ids = self._tabs[tab], list[str](), list[int]()
        ends = {WebKit2.LoadEvent.FINISHED} | (set() if until_loaded else {WebKit2.LoadEvent.COMMITTED})
        begun = False

        def heard(_: object, event: Any) -> None:
            nonlocal begun
            # What comes before is the end of a way that the page has gone itself, to the same address perhaps.
            begun = begun or event == WebKit2.LoadEvent.STARTED
            if begun and event in ends:
                for one in ids:
                    view.disconnect(one)
                answer(None, failed[0] if failed else None)

        def not_loaded(_: object, event: object, address: object, error: Any) -> bool:
            if begun and not error.matches(WebKit2.NetworkError.quark(), WebKit2.NetworkError.CANCELLED):
                failed.append(error.message)
            # The library's page that tells of the error would come later, in the place of the next page that is opened.
            return True

        ids += [view.connect("load-changed", heard), view.connect("load-failed", not_loaded)]
        view.load_uri(url)

    def do_url(self, answer: Answer, tab: int) -> None:
        answer(self._tabs[tab].get_uri() or "about:blank")

    def do_call(self, answer: Answer, tab: int, body: str, argument: str) -> None:
        def done(view: Any, result: Any) -> None:
            try:
                answer(view.call_async_javascript_function_finish(result).to_string())
            except GLib.Error as error:
                answer(None, error.message)

        given = GLib.Variant("a{sv}", {"text": GLib.Variant("s", argument)})
        self._tabs[tab].call_async_javascript_function(body, -1, given, None, None, None, done)

    def do_close(self, answer: Answer, tab: int, ask: bool) -> None:
        view = self._tabs.pop(tab)

        def closed(*_: object) -> None:
            view.get_toplevel().destroy()
            answer()

        if ask:
            view.connect("close", closed)
            view.try_close()
        else:
            closed()

    def do_kill(self, answer: Answer, tab: int) -> None:
        view = self._tabs[tab]
        view.connect("web-process-terminated", lambda *_: answer())
        view.terminate_web_process()

    def do_script(self, answer: Answer, script: str, tab: int | None) -> None:
        if tab is None:
            self._scripts.append(script)
        for number, view in self._tabs.items():
            if tab in (None, number):
                view.get_user_content_manager().add_script(_user_script(script))
        answer()

    def do_clear_storage(self, answer: Answer) -> None:
        types = WebKit2.WebsiteDataTypes
        chosen = types.LOCAL_STORAGE | types.INDEXEDDB_DATABASES | types.DOM_CACHE | types.SERVICE_WORKER_REGISTRATIONS

        def done(manager: Any, result: Any) -> None:
            answer(manager.clear_finish(result))

        self._context.get_website_data_manager().clear(chosen, 0, None, done)

    def do_offline(self, answer: Answer, offline: bool) -> None:
        """Lead everything to a place where nobody listens. Hearing of a proxy, the library ends what is under way."""
        if offline:
            self._set_proxy(NOWHERE, ())
        else:
            self._set_proxy(self._proxy)
        # The process that has the network hears of it before it is asked for cookies.
        self._jar.get_all_cookies(None, lambda jar, result: answer(bool(jar.get_all_cookies_finish(result))))

    # Cookies

    def do_cookies(self, answer: Answer) -> None:
        def done(jar: Any, result: Any) -> None:
            answer([_told(one) for one in jar.get_all_cookies_finish(result)])

        self._jar.get_all_cookies(None, done)

    def do_add_cookie(self, answer: Answer, cookie: dict[str, Any]) -> None:
        self._jar.add_cookie(_cookie(cookie), None, lambda jar, result: answer(jar.add_cookie_finish(result)))

    def do_delete_cookie(self, answer: Answer, cookie: dict[str, Any]) -> None:
        self._jar.delete_cookie(_cookie(cookie), None, lambda jar, result: answer(jar.delete_cookie_finish(result)))

    def do_block_cookies(self, answer: Answer) -> None:
        self._jar.set_accept_policy(WebKit2.CookieAcceptPolicy.NEVER)
        self._blocks_cookies = True
        for view in self._tabs.values():
            _block_cookies(view)
        answer()


def _block_cookies(view: WebKit2.WebView) -> None:
    features = WebKit2.Settings.get_all_features()
    every = (features.get(number) for number in range(features.get_length()))
    cookie = next(one for one in every if one.get_identifier() == "Cookie")
    view.get_settings().set_feature_enabled(cookie, False)


def _user_script(script: str) -> WebKit2.UserScript:
    frames, time = WebKit2.UserContentInjectedFrames.ALL_FRAMES, WebKit2.UserScriptInjectionTime.START
    return WebKit2.UserScript.new(script, frames, time, None, None)


def _told(cookie: Soup.Cookie) -> dict[str, Any]:
    ends = cookie.get_expires()
    same_site = cookie.get_same_site_policy()
    return {
        "name": cookie.get_name(),
        "value": cookie.get_value(),
        "domain": cookie.get_domain(),
        "path": cookie.get_path(),
        "expires": -1 if ends is None else ends.to_unix(),
        "httpOnly": bool(cookie.get_http_only()),
        "secure": bool(cookie.get_secure()),
        "sameSite": next(name for name, policy in SAME_SITE.items() if policy == same_site),
    }


def _cookie(told: dict[str, Any]) -> Soup.Cookie:
    made = Soup.Cookie.new(told["name"], told["value"], told["domain"], told["path"], -1)
    if told["expires"] != -1:
        made.set_expires(GLib.DateTime.new_from_unix_utc(int(told["expires"])))
    made.set_http_only(told["httpOnly"])
    made.set_secure(told["secure"])
    made.set_same_site_policy(SAME_SITE[told["sameSite"]])
    return made


if __name__ == "__main__":
    Browser(socket.socket(fileno=int(sys.argv[1])), sys.argv[2])
    Gtk.main()
