import threading
from http.server import ThreadingHTTPServer

import pytest
from shop import Shop


@pytest.fixture
def site(collector):
    handler = type("Configured", (Shop,), {"data_plane": collector.url})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
