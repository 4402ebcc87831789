"""Pages with the option `early`, as the collector meets them, and what they cost its processor."""

from __future__ import annotations

from typing import Any

import psutil

AT_MOST = 1.5
"""Milliseconds of processor that a page of five calls may cost."""

PRODUCT = {"sku": "satsuma-1kg", "price": 3.5, "currency": "EUR", "category": "Citrus", "quantity": 2}
ADDRESS = {"__t": "bpc", "p": "/products/satsuma", "u": "https://shop.example/products/satsuma", "t": "Satsuma, 1 kg"}
CALLS: list[list[Any]] = [
    ["page"],
    ["identify", "97980cfea0067", {"plan": "premium"}],
    *[["track", "Product Viewed", PRODUCT]] * 3,
]
PAGE = {
    "writeKey": "bench",
    "sentAt": "2020-04-23T22:38:50.000Z",
    "locale": "en-US",
    "timezone": "Europe/Prague",
    "cookies": "ajs_anonymous_id=bd077b70-816b-448b-ae79-2f5f7d856513",
    "storage": {"ajs_anonymous_id": '"bd077b70-816b-448b-ae79-2f5f7d856513"'},
    "answer": True,
    "calls": [
        [*call, {**ADDRESS, "id": f"ajs-NUMBER-{place}", "at": 1587681528550}] for place, call in enumerate(CALLS)
    ],
}
"""As a page with the option `early` sends it. Each request has its own number, and so each call its own messageId."""

NUMBERED = """local body, number = wrk.body, 0
request = function()
  number = number + 1
  return wrk.format(nil, nil, nil, (body:gsub("NUMBER", os.time() .. "-" .. number)))
end
"""
"""Lua for wrk: gives each request its number."""


def busy(process: int) -> float:
    """Return the seconds of processor that a collector and its process for early calls have used."""
    collector = psutil.Process(process)
    answering = [one for one in collector.children(recursive=True) if "replay_process" in " ".join(one.cmdline())]
    spent = [one.cpu_times() for one in (collector, *answering)]
    return sum(one.user + one.system for one in spent)
