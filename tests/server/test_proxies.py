"""The examples of proxies in `server/deploy`, held against the proxies themselves where they are installed."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from satsuma_server.testing import Collector, running

DEPLOY = Path(__file__).resolve().parents[2] / "server" / "deploy"
SYSTEM = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"))
NGINX, CADDY, OPENSSL = (shutil.which(name, path=SYSTEM) for name in ("nginx", "caddy", "openssl"))
NAME = "collector.example"
WHOLE = """
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
worker_processes 1;
{user}
events {{ worker_connections 256; }}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def make_certificate(folder: Path) -> None:
    command = [
        OPENSSL,
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
    ]
    subject = ["-subj", f"/CN={NAME}", "-keyout", folder / "key.pem", "-out", folder / "cert.pem"]
    subprocess.run([*command, *subject], check=True, capture_output=True, timeout=60)


def configure(folder: Path, collector: str, secure: int, plain: int) -> Path:
    """Write the example into a folder, changed as its first lines say, with ports that are free."""
    site = (DEPLOY / "nginx.conf").read_text()
    for before, after in (
        ("127.0.0.1:8000", collector.removeprefix("http://")),
        ("/etc/ssl/certs/collector.example.pem", f"{folder}/cert.pem"),
        ("/etc/ssl/private/collector.example.key", f"{folder}/key.pem"),
    ):
        assert before in site
        site = site.replace(before, after)
    site = re.sub(r"\tlisten \[::\]:.*\n", "", site)
    site, count = re.subn(
        r"listen (443|80)", lambda match: f"listen 127.0.0.1:{secure if match[1] == '443' else plain}", site
    )
    assert count == 2
    (folder / "site.conf").write_text(site)
    whole = folder / "nginx.conf"
    whole.write_text(WHOLE.format(folder=folder, user="user root;" if os.geteuid() == 0 else ""))
    return whole


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Collector, int, int]]:
    """A collector, and nginx before it; the ports of https and http."""
    if NGINX is None or OPENSSL is None:
        pytest.skip("nginx or openssl is not installed (Debian: apt-get install nginx-light openssl)")
    folder = tmp_path_factory.mktemp("nginx")
    make_certificate(folder)
    settings = {"trusted_proxies": ("127.0.0.1",), "public_url": f"https://{NAME}"}
    with running(tmp_path_factory.mktemp("data"), **settings) as collector:
        secure, plain = free_port(), free_port()
        config = configure(folder, collector.url, secure, plain)
        command = [NGINX, "-p", str(folder), "-c", str(config)]
        tried = subprocess.run([*command, "-t"], capture_output=True, text=True, timeout=60)
        assert tried.returncode == 0, tried.stderr
        process = subprocess.Popen([*command, "-g", "daemon off;"], stderr=subprocess.PIPE)
        try:
            until = time.monotonic() + 60
            while not _answers(secure):
                assert process.poll() is None and time.monotonic() < until, "nginx did not start"
                time.sleep(0.02)
            yield collector, secure, plain
        finally:
            process.terminate()
            process.wait(60)


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5):
        return True
    return False


@pytest.fixture
def visitor(proxied: tuple[Collector, int, int]) -> Iterator[httpx.Client]:
    """Somebody who comes from another address than the proxy."""
    transport = httpx.HTTPTransport(verify=False, local_address="127.0.0.2")
    url = f"https://127.0.0.1:{proxied[1]}"
    with httpx.Client(base_url=url, transport=transport, headers={"Host": NAME}, timeout=60) as client:
        yield client


def test_the_collector_sees_the_visitors_address_and_not_a_forged_one(
    proxied: tuple[Collector, int, int], visitor: httpx.Client
) -> None:
    forged = {"X-Forwarded-For": "6.6.6.6", "Forwarded": "for=6.6.6.6", "X-Forwarded-Host": "evil.test"}
    event = {"event": "Proxied", "anonymousId": "a"}
    assert visitor.post("/v1/track", json=event, headers=forged).status_code == 200
    [stored] = [one for one in proxied[0].events() if one["event"] == "Proxied"]
    assert stored["context"]["ip"] == "127.0.0.2"


def test_nothing_opens_that_is_closed_without_the_proxy(visitor: httpx.Client) -> None:
    assert visitor.get("/metrics").status_code == 401
    assert visitor.get("/v1/events").status_code == 401
    evil = visitor.get("/v1/projects/shop/settings", headers={"Host": "evil.test", "X-Forwarded-Host": "evil.test"})
    assert evil.json()["integrations"]["Segment.io"]["apiHost"] == f"{NAME}/v1"


@pytest.mark.parametrize("path", ["/v1/x/../events", "/v1/%65vents", "//v1/events", "/v1/./health", "/../v1/health"])
def test_paths_go_on_as_they_were_sent(proxied: tuple[Collector, int, int], path: str) -> None:
    unchecked = ssl._create_unverified_context()
    head = (
        f"GET {path} HTTP/1.1\r\nHost: {NAME}\r\nAuthorization: Bearer {proxied[0].token}\r\nConnection: close\r\n\r\n"
    )
    with (
        socket.create_connection(("127.0.0.1", proxied[1]), timeout=60) as plain,
        unchecked.wrap_socket(plain) as connection,
    ):
        connection.sendall(head.encode())
        assert connection.recv(65536).split()[1] == b"400"


def test_a_body_is_as_large_as_the_collector_reads(visitor: httpx.Client) -> None:
    event = {"type": "track", "event": "Large", "anonymousId": "a", "properties": {"text": "x" * 20_000}}
    assert visitor.post("/v1/batch", json={"batch": [event] * 24}).status_code == 200
    assert visitor.post("/v1/batch", json={"batch": [event] * 150}).status_code == 413


def test_a_live_feed_comes_as_it_happens(proxied: tuple[Collector, int, int], visitor: httpx.Client) -> None:
    token = {"Authorization": f"Bearer {proxied[0].token}"}
    with visitor.stream("GET", "/v1/events?follow=1&last=0", headers=token) as feed:
        visitor.post("/v1/track", json={"event": "Seen at once", "anonymousId": "a"})
        assert "Seen at once" in next(feed.iter_lines())


def test_plain_http_leads_to_https_under_our_own_name(proxied: tuple[Collector, int, int]) -> None:
    answer = httpx.get(f"http://127.0.0.1:{proxied[2]}/v1/health", headers={"Host": "evil.test"})
    assert (answer.status_code, answer.headers["location"]) == (308, f"https://{NAME}/v1/health")


@pytest.mark.skipif(CADDY is None, reason="caddy is not installed (Debian: apt-get install caddy)")
@pytest.mark.parametrize("file", ["Caddyfile", "scale/Caddyfile"])
def test_the_caddyfile_is_valid(tmp_path: Path, file: str) -> None:
    assert CADDY is not None
    command = [CADDY, "validate", "--adapter", "caddyfile", "--config", DEPLOY / file]
    homes = {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    env = {**os.environ, **homes, "SATSUMA_HOST_NAME": NAME}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
