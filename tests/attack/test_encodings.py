"""Compressed bodies: what is read, what is refused, and what inflates to more than was sent."""

from __future__ import annotations

import gzip
import json
import zlib
from pathlib import Path

import httpx
import pytest
from satsuma_server.ingest.body import MAX_BODY_BYTES
from satsuma_server.testing import running

EVENT = json.dumps({"event": "E", "anonymousId": "a", "writeKey": "shop"}).encode()


def test_only_gzip_and_deflate_are_read_and_within_bounds(tmp_path: Path) -> None:
    bomb = b" " * (MAX_BODY_BYTES + 1)
    asked = [
        ("gzip", gzip.compress(EVENT), 200),
        ("x-gzip", gzip.compress(EVENT), 200),
        ("deflate", zlib.compress(EVENT), 200),
        ("identity", EVENT, 200),
        ("Deflate", zlib.compress(bomb), 413),
        ("gzip", gzip.compress(bomb), 413),
        ("deflate", zlib.compress(EVENT)[:-5], 400),
        ("deflate", b"no deflate", 400),
        *((name, EVENT, 415) for name in ("br", "zstd", "gzip, gzip", "compress", "x" * 5000)),
    ]
    with running(tmp_path) as collector, httpx.Client(base_url=collector.url, trust_env=False) as web:
        for path in ("/v1/track", "/v1/batch"):
            told = [web.post(path, content=body, headers={"Content-Encoding": name}) for name, body, _ in asked]
            expected = [status if path == "/v1/track" or status != 200 else 400 for _, _, status in asked]
            assert [answer.status_code for answer in told] == expected
            assert told[-1].headers["Accept-Encoding"] == "gzip, deflate"
            assert "gzip, deflate" in told[-1].json()["error"]["message"] and len(told[-1].content) < 500
        assert len(collector.events()) == 4


@pytest.mark.parametrize("path", ["/v1/early", "/v1/import"])
def test_other_endpoints_refuse_them_too(tmp_path: Path, path: str) -> None:
    with running(tmp_path) as collector:
        answer = httpx.post(collector.url + path, content=EVENT, headers={"Content-Encoding": "br"}, trust_env=False)
        assert answer.status_code == 415
