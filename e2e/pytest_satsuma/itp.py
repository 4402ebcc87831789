"""What Safari's Intelligent Tracking Prevention takes away, in browsers that don't have it.

Cookies that scripts write live seven days at most, whatever they ask for. Cookies that servers set live as long as they
say. A script that writes a cookie which a server has set makes it one of a script. What else scripts can write
(localStorage, IndexedDB, caches, service workers) is removed after seven days in which the visitor uses the browser and
not the site. Sources: WebKit's posts "Intelligent Tracking Prevention 2.1" and "Full Third-Party Cookie Blocking and
More". The limit of 24 hours after a decorated link is not covered.
"""

from __future__ import annotations

from typing import Any

DAYS = 7
SECONDS = DAYS * 86_400

STORAGE = "local_storage,indexeddb,cache_storage,service_workers"
"""What is removed, in the words of the Chrome DevTools Protocol."""

CAP = """() => {
  const known = Symbol.for("satsuma.itp"), cap = SECONDS, RealDate = Date;
  if (window[known]) return;
  Object.defineProperty(window, known, { value: true });
  const capped = (text) => {
    const [, age] = text.match(/;\\s*max-age=\\s*(-?\\d+)/i) || [];
    const [, date] = text.match(/;\\s*expires=([^;]*)/i) || [];
    const until = date ? (RealDate.parse(date) - RealDate.now()) / 1000 : 0;
    const life = age === undefined ? until : Number(age);
    return life > cap ? `${text.replace(/;\\s*(max-age|expires)=[^;]*/gi, "")}; max-age=${cap}` : text;
  };
  const cookie = Object.getOwnPropertyDescriptor(Document.prototype, "cookie");
  Object.defineProperty(Document.prototype, "cookie", {
    ...cookie,
    set(text) { cookie.set.call(this, capped(String(text))); },
  });
  if (!window.CookieStore) return;
  const set = CookieStore.prototype.set;
  CookieStore.prototype.set = function (...args) {
    const [given] = args, last = RealDate.now() + cap * 1000;
    return set.apply(this, given && given.expires > last ? [{ ...given, expires: last }] : args);
  };
}""".replace("SECONDS", str(SECONDS))
"""JavaScript that limits the life of cookies which scripts write. It keeps the page's Date as it found it, so that time
travel, which comes later, moves what it compares."""


def limited(cookies: list[Any], now: float) -> list[Any]:
    """Return cookies of which nobody knows who wrote them as Safari would have them: only those that no script can
    read are surely a server's."""
    return [
        one if one["httpOnly"] or one["expires"] == -1 else {**one, "expires": min(one["expires"], now + SECONDS)}
        for one in cookies
    ]
