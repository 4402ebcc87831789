"""``satsuma serve`` and ``satsuma demo``."""

from __future__ import annotations

import json
import os
import stat
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated, Any

import typer
from satsuma.errors import SatsumaError

from satsuma_server.acceptors.supervisor import supervise
from satsuma_server.app import create_app
from satsuma_server.errors import SettingsError
from satsuma_server.http.addresses import is_loopback
from satsuma_server.http.serving import listen, listen_for_each, run, url_of
from satsuma_server.log_lines import set_up
from satsuma_server.settings import MetricsMode, Settings, check_token, make_settings, weakness_of

from .console import console, fail

DEMO_GROUP = "satsuma_server.demo"
DEMO_KEY = "demo"

Port = Annotated[int, typer.Option(envvar="SATSUMA_PORT", help="Port to listen on; 0 takes a free one.")]
Host = Annotated[str, typer.Option(envvar="SATSUMA_HOST", help="Address to listen on.")]
DATA = typer.Option(envvar="SATSUMA_DATA", help="Folder for the log; made if missing.")
Data = Annotated[Path, DATA]
Config = Annotated[Path | None, typer.Option(envvar="SATSUMA_CONFIG", help="Settings in a TOML file.")]
MaskIp = Annotated[bool, typer.Option("--mask-ip", envvar="SATSUMA_MASK_IP", help="Keep addresses without their end.")]
RetentionDays = Annotated[
    float | None, typer.Option(envvar="SATSUMA_RETENTION_DAYS", help="How long events are kept; for ever by default.")
]
Token = Annotated[str, typer.Option(envvar="SATSUMA_TOKEN", help="Secret that opens what reads data back.")]
Keys = Annotated[
    list[str] | None, typer.Option("--write-key", envvar="SATSUMA_WRITE_KEYS", help="A source; repeatable.")
]
AnyKey = Annotated[bool, typer.Option("--accept-any-key", envvar="SATSUMA_ACCEPT_ANY_KEY", help="Take any write key.")]
Proxy = Annotated[bool, typer.Option("--trust-proxy", envvar="SATSUMA_TRUST_PROXY", help="Believe X-Forwarded-*.")]
ApiHost = Annotated[str | None, typer.Option(envvar="SATSUMA_API_HOST", help="Host that browsers post to.")]
PublicUrl = Annotated[
    str | None, typer.Option(envvar="SATSUMA_PUBLIC_URL", help="Where browsers reach it: https://collector.example.")
]
AllowedHosts = Annotated[
    list[str] | None,
    typer.Option("--allowed-host", envvar="SATSUMA_ALLOWED_HOSTS", help="A host that answers may repeat; repeatable."),
]
Worker = Annotated[
    bool | None,
    typer.Option(
        "--worker/--no-worker",
        envvar="SATSUMA_WORKER",
        help="Run what is built from the log, in a second process.",
        show_default="on",
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(
        envvar="SATSUMA_WORKERS",
        help="Processes that take requests; with more than one, another process writes for all.",
        show_default="1",
    ),
]
Metrics = Annotated[
    MetricsMode | None,
    typer.Option(
        envvar="SATSUMA_METRICS",
        help="Who reads /metrics without a token: programs of this machine, nobody, everybody.",
        show_default="local",
    ),
]
SuppressionSecret = Annotated[
    Path | None, typer.Option(envvar="SATSUMA_SUPPRESSION_SECRET_FILE", help="Secret of the suppression list.")
]
Log = Annotated[
    str | None,
    typer.Option(
        envvar="SATSUMA_LOG",
        help="Servers that keep the log: nats://one:4222,two:4222,three:4222; a file in the folder by default.",
    ),
]
ReadyFile = Annotated[Path | None, typer.Option(envvar="SATSUMA_READY_FILE", help="JSON written once ready.")]
ShopPort = Annotated[int, typer.Option(envvar="SATSUMA_SHOP_PORT", help="Port of the shop; 0 takes a free one.")]


def serve_collector(
    port: Port = 8000,
    host: Host = "127.0.0.1",
    data: Annotated[Path | None, DATA] = None,
    config: Config = None,
    token: Token = "",
    write_keys: Keys = None,
    accept_any_key: AnyKey = False,
    trust_proxy: Proxy = False,
    api_host: ApiHost = None,
    public_url: PublicUrl = None,
    allowed_hosts: AllowedHosts = None,
    mask_ip: MaskIp = False,
    retention_days: RetentionDays = None,
    worker: Worker = None,
    metrics: Metrics = None,
    suppression_secret_file: SuppressionSecret = None,
    log: Log = None,
    workers: Workers = None,
    ready_file: ReadyFile = None,
) -> None:
    """Start the collector alone."""
    given = {
        "data": data,
        "token": token,
        "write_keys": frozenset(write_keys or ()),
        "accept_any_key": accept_any_key or None,
        "trust_proxy": trust_proxy or None,
        "api_host": api_host,
        "public_url": public_url,
        "allowed_hosts": tuple(allowed_hosts or ()),
        "mask_ip": mask_ip or None,
        "retention_days": retention_days,
        "worker": worker,
        "metrics": metrics,
        "suppression_secret_file": suppression_secret_file,
        "log": log,
        "workers": workers,
    }

    try:
        settings = make_settings(config, given)
    except SettingsError as error:
        fail(str(error))
    if settings.workers > 1:
        _run_several(settings, host, port, ready_file)
    else:
        _run(settings, host, port, None, ready_file)


def demo(
    port: Port = 8000,
    shop_port: ShopPort = 8001,
    host: Host = "127.0.0.1",
    data: Data = Path(".demo"),
    token: Token = "",
    worker: Worker = None,
    ready_file: ReadyFile = None,
) -> None:
    """Start a collector and the demo shop."""
    settings = make_settings(given={"data": data, "token": token, "accept_any_key": True, "worker": worker})
    _run(settings, host, port, shop_port, ready_file)


def _run(settings: Settings, host: str, port: int, shop_port: int | None, ready_file: Path | None) -> None:
    try:
        _prepare(settings, host)
        listener = listen(host, port)
        apps: list[Any] = [(create_app(settings), listener)]
        told = {"url": url_of(listener), "token": settings.token}
        if shop_port is not None:
            shop_listener = listen(host, shop_port)
            told["shop_url"] = url_of(shop_listener)
            apps.append((_make_shop(told["url"], settings), shop_listener))
    except SatsumaError as error:
        fail(str(error))
    run(apps, lambda: _announce(settings, told, ready_file))


def _run_several(settings: Settings, host: str, port: int, ready_file: Path | None) -> None:
    try:
        _prepare(settings, host)
        listeners = listen_for_each(host, port, settings.workers)
    except SatsumaError as error:
        fail(str(error))
    told = {"url": url_of(listeners[0]), "token": settings.token}
    if not supervise(settings, listeners, lambda: _announce(settings, told, ready_file)):
        raise typer.Exit(1)


def _prepare(settings: Settings, host: str) -> None:
    set_up()
    os.umask(0o077)  # What is stored is for nobody else on this machine. Other processes inherit it.
    if not is_loopback(host):
        check_token(settings.token)


def _make_shop(collector_url: str, settings: Settings) -> Any:
    found = entry_points(group=DEMO_GROUP)
    if not found:
        fail('the demo shop is not installed: pip install "satsuma-server[demo]"')
    make = next(iter(found)).load()
    return make(collector_url=collector_url, token=settings.token, write_key=DEMO_KEY, data=settings.data)


def _announce(settings: Settings, told: dict[str, str], ready_file: Path | None) -> None:
    if "shop_url" in told:
        console.print("\n  [bold dark_orange]Satsuma[/] is ready. Open the shop and watch who you are:\n")
        console.print(f"    shop       [bold]{told['shop_url']}[/]")
    else:
        console.print("\n  [bold dark_orange]Satsuma[/] is ready.\n")
    console.print(f"    collector  {told['url']}")
    if settings.worker:
        console.print(
            f"    console    {told['url']}/console   (log in with the token {settings.token})", soft_wrap=True
        )
    console.print(
        f"    events     curl -H 'Authorization: Bearer {told['token']}' {told['url']}/v1/events", soft_wrap=True
    )
    if settings.accept_any_key:
        console.print("\n  [yellow]Any write key is accepted.[/] Name your sources with --write-key in production.")
    if weakness := weakness_of(settings.token):
        console.print(f"\n  [yellow]The token {weakness}.[/] It is accepted on this machine only, for demos and tests.")
    console.print("\n  Ctrl-C stops it.\n")
    if ready_file is not None:
        _write_private(ready_file, json.dumps(told))


def _write_private(file: Path, text: str) -> None:
    """Write a file that has a token, also where it exists with a more generous mode."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as opened:
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.fchmod(descriptor, 0o600)
        opened.write(text)
