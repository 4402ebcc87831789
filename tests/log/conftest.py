from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from nats_servers import Cluster, nats_servers


@pytest.fixture(scope="session")
def nats_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One NATS server with JetStream, which the tests of this run share."""
    with nats_servers(tmp_path_factory.mktemp("nats"), most="2GB") as cluster:
        asyncio.run(cluster.ready())
        yield cluster
