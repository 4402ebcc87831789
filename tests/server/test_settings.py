"""Settings from a file and from options."""

from __future__ import annotations

from pathlib import Path

import pytest
from satsuma_server.errors import SettingsError
from satsuma_server.ingest.client_info import ClientInfo
from satsuma_server.settings import Settings, make_settings

GIVEN = "given-on-the-command-line-b3f1c07d"
FILE = """
data = "kept"
token = "from-the-file-b3f1c07d52e94a68"
mask_ip = true
trusted_proxies = ["10.0.0.0/8"]

[[sources]]
write_key = "shop"
name = "The shop"
origins = ["https://shop.example"]
"""


def test_options_lie_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "satsuma.toml"
    file.write_text(FILE)
    settings = make_settings(file, {"token": GIVEN, "data": None, "mask_ip": None})
    assert (settings.token, settings.data, settings.mask_ip) == (GIVEN, tmp_path / "kept", True)
    source = settings.source("shop")
    assert source is not None
    assert source.allows("https://shop.example")
    assert source.allows(None)
    assert not source.allows("https://other.example")
    assert settings.source("other") is None


@pytest.mark.parametrize(
    ("text", "told"),
    [("tokn = 'x'", "tokn"), ("mask_ip = 'yes'", "mask_ip"), ("= 3", "line 1"), ("mask_ip = true", "--write-key")],
)
def test_a_wrong_file_is_one_clear_line(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "satsuma.toml"
    file.write_text(text)
    with pytest.raises(SettingsError, match=told):
        make_settings(file)


@pytest.mark.parametrize(
    ("peer", "forwarded", "ip"),
    [
        ("10.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", "6.6.6.6, 203.0.113.7, 10.0.0.2", "203.0.113.7"),
        ("198.51.100.1", "203.0.113.7", "198.51.100.1"),
        ("10.0.0.1", "<script>", "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
    ],
)
def test_only_a_trusted_proxy_is_believed(tmp_path: Path, peer: str, forwarded: str, ip: str) -> None:
    settings = Settings(tmp_path, trusted_proxies=("10.0.0.0/8",))
    scope = {"headers": [(b"x-forwarded-for", forwarded.encode())], "client": (peer, 1)}
    assert ClientInfo.of(scope, settings).ip == ip


@pytest.mark.parametrize(
    ("ip", "kept"), [("203.0.113.77", "203.0.113.0"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1::"), ("x", None)]
)
def test_masked_addresses_lose_their_end(tmp_path: Path, ip: str, kept: str | None) -> None:
    scope = {"headers": [], "client": (ip, 1)}
    assert ClientInfo.of(scope, Settings(tmp_path, mask_ip=True)).ip == kept
