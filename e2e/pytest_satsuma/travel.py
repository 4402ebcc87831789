"""Time travel: moves the clock of pages and the expiry of cookies together.

Chromium expires cookies by the machine's clock, which neither a page nor the debugging protocol can change. So the
expiry of each cookie is moved closer instead, by the time that passes, and those that would have expired are removed.
The browser's expiries are therefore in real time, while pages see a later time. What a page writes with ``expires=`` is
moved back by the same time before the browser stores it. Otherwise an id that is renewed a year later would seem to be
valid for two years, and a cookie that is removed by a date in the past would stay.

Playwright's own clock is not used. It replaces the page's timers as well, and after a navigation (as of 1.65) the
timers of the new page don't run, so that no library would start.
"""

from __future__ import annotations

import time
from typing import Any

SCRIPT = """(milliseconds) => {
  const known = Symbol.for("satsuma.travel");
  if (window[known]) { window[known].by = milliseconds; return; }
  // A page may replace Date.now later: the time that has passed is added to the browser's own.
  const RealDate = Date, realNow = RealDate.now, travel = { by: milliseconds };
  Object.defineProperty(window, known, { value: travel });
  const now = () => realNow() + travel.by;
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
"""JavaScript that moves a page's Date by a given time."""


def shortened(cookies: list[Any], seconds: float) -> tuple[list[Any], list[Any]]:
    """Return the cookies after so much time: those that are still valid, and those that have expired.

    Session cookies stay valid, since a browser that restores its tabs keeps them.
    """
    now = time.time()
    lasting = [cookie for cookie in cookies if cookie["expires"] != -1]
    left = [{**cookie, "expires": cookie["expires"] - seconds} for cookie in lasting]
    return [one for one in left if one["expires"] > now], [one for one in left if one["expires"] <= now]
