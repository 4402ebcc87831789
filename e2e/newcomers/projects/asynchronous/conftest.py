import threading
from http.server import ThreadingHTTPServer

import pytest
from playwright.async_api import async_playwright
from pytest_satsuma import launch_args
from shop import Shop


@pytest.fixture
def site(collector):
    handler = type("Configured", (Shop,), {"data_plane": collector.url})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture
async def visitor(async_visitor):
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(**launch_args({}))
        yield await async_visitor(await browser.new_context())
        await browser.close()
