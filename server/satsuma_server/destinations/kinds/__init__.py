"""The services that events can go to. `make_client` makes one from its settings."""

from __future__ import annotations

from satsuma_server.destinations import DestinationClient
from satsuma_server.destinations.http_client import HttpDestination, HttpService, address_of
from satsuma_server.forwarding import Destination, PythonDestination, WebhookDestination

from .python_function import PythonFunction
from .webhook import Webhook


def make_client(settings: Destination) -> tuple[DestinationClient, str]:
    """Return a destination's client, and its address for people.

    Raises:
        SettingsError: a secret is missing, or a function can't be imported.
    """
    if isinstance(settings, PythonDestination):
        return PythonFunction(settings), settings.python
    service, address = _service(settings)
    return HttpDestination(service, settings.timeout_seconds, settings.concurrency), address


def _service(settings: Destination) -> tuple[HttpService, str]:
    assert isinstance(settings, WebhookDestination)
    webhook = Webhook(settings)
    hidden = "(its URL is a secret)"
    return webhook, address_of(settings.url) if isinstance(settings.url, str) else hidden
