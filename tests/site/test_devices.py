"""Other names of the same shop."""

from __future__ import annotations

import pytest
from satsuma_shop.devices import Devices
from satsuma_shop.scenarios import SCENARIOS
from starlette.datastructures import URL
from starlette.testclient import TestClient


@pytest.mark.parametrize(
    ("url", "base", "here"),
    [
        ("http://127.0.0.1:8001/", "grove.localhost:8001", ""),
        ("http://localhost/", "grove.localhost", ""),
        ("http://phone.grove.localhost:8001/app", "grove.localhost:8001", "phone"),
        ("http://lab.grove.localhost:8001/lab", "grove.localhost:8001", ""),
        ("https://shop.example/", "shop.example", ""),
        ("https://laptop.shop.example/", "shop.example", "laptop"),
        ("https://blog.laptop.shop.example/", "shop.example", "laptop"),
        ("https://blog.shop.example/", "blog.shop.example", ""),
        ("http://192.0.2.7:8001/", "", ""),
        ("http://evil.example'; script-src *:80/", "", ""),
    ],
)
def test_names_are_read_from_the_host(url: str, base: str, here: str) -> None:
    devices = Devices.of(URL(url))
    assert (devices.base, devices.here) == (base, here)


def test_a_devices_cookies_are_kept_to_its_own_name() -> None:
    devices = Devices.of(URL("http://phone.grove.localhost:8001/"))
    assert devices.options == {"cookie": {"domain": "phone.grove.localhost"}}
    blog = Devices.of(URL("http://blog.laptop.grove.localhost:8001/"))
    assert blog.options == {"cookie": {"domain": "laptop.grove.localhost"}}, "as the laptop's shop"
    assert Devices.of(URL("http://127.0.0.1:8001/")).options == {}


def test_the_lab_is_shown_under_the_name_that_may_frame_the_devices(shop: TestClient) -> None:
    sent = shop.get("/lab/reset", follow_redirects=False)
    assert sent.headers["location"] == "http://lab.testserver/lab/reset"
    page = shop.get("/lab/reset", headers={"Host": "lab.grove.localhost:8001"})
    names = "laptop", "phone", "blog.laptop"
    frames = " ".join(f"http://{name}.grove.localhost:8001" for name in names)
    assert f"frame-src {frames};" in page.headers["content-security-policy"]
    device = shop.get("/", headers={"Host": "phone.grove.localhost:8001"})
    assert "frame-ancestors 'self' http://lab.grove.localhost:8001;" in device.headers["content-security-policy"]
    assert shop.get("/lab/nothing").status_code == 404


def test_a_flow_can_be_read_without_being_played(shop: TestClient) -> None:
    for scenario in SCENARIOS:
        page = shop.get(f"/lab/{scenario.id}", headers={"Host": "lab.grove.localhost"}).text
        assert page.count("data-step=") == len(scenario.steps)
