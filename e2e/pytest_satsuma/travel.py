"""Time travel: the page's clock and the cookies' expiry, together.

Chromium expires cookies by the machine's clock, which no page and no debugging protocol moves. So a cookie's expiry
comes nearer instead: each one's remaining life is shortened by the time that passes, and those due are removed. The
jar thus goes on to hold expiries of real time, while pages tell later ones; what a page writes with ``expires=`` is
brought back by as much on its way into the jar, or an id renewed in a year's time would seem to live for two, and a
cookie removed by a date in the past would stay.

Playwright's own clock is not used: it replaces the page's timers too, and after a navigation (as of 1.65) leaves those
of the new page standing, so that no library gets up.
"""

from __future__ import annotations

import time
from typing import Any

SCRIPT = """(milliseconds) => {
  const known = Symbol.for("satsuma.travel");
  if (window[known]) { window[known].by = milliseconds; return; }
  const RealDate = Date, travel = { by: milliseconds };
  Object.defineProperty(window, known, { value: travel });
  const now = () => RealDate.now() + travel.by;
  window.Date = new Proxy(RealDate, {
    construct: (target, args, made) => Reflect.construct(target, args.length ? args : [now()], made),
    apply: () => new RealDate(now()).toString(),
    get: (target, name) => (name === "now" ? now : Reflect.get(target, name)),
  });
  RealDate.prototype.constructor = window.Date;
  const origin = performance.timeOrigin;
  Object.defineProperty(performance, "timeOrigin", { get: () => origin + travel.by, configurable: true });
  const back = (date) => new RealDate(RealDate.parse(date) - travel.by).toUTCString();
  const cookie = Object.getOwnPropertyDescriptor(Document.prototype, "cookie");
  Object.defineProperty(Document.prototype, "cookie", {
    ...cookie,
    set(text) {
      cookie.set.call(this, String(text).replace(/(;\\s*expires=)([^;]*)/i, (whole, name, date) =>
        isNaN(RealDate.parse(date)) ? whole : name + back(date)));
    },
  });
  if (!window.CookieStore) return;
  const set = CookieStore.prototype.set;
  CookieStore.prototype.set = function (...args) {
    const [given] = args;
    const expires = given && given.expires != null && { expires: Number(given.expires) - travel.by };
    return set.apply(this, expires ? [{ ...given, ...expires }] : args);
  };
}"""
"""Moves a page's Date, once, and by as much as is wanted."""


def shortened(cookies: list[Any], seconds: float) -> tuple[list[Any], list[Any]]:
    """Return what is left of cookies after so much time: those that live on, and those that are due.

    Session cookies live on, since a browser that restores its tabs keeps them.
    """
    now = time.time()
    lasting = [cookie for cookie in cookies if cookie["expires"] != -1]
    left = [{**cookie, "expires": cookie["expires"] - seconds} for cookie in lasting]
    return [one for one in left if one["expires"] > now], [one for one in left if one["expires"] <= now]
