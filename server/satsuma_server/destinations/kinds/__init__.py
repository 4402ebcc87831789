"""The services that events can go to. `make_client` makes one from its settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from satsuma_server.destinations import DestinationClient
from satsuma_server.destinations.http_client import HttpDestination, HttpService, address_of
from satsuma_server.errors import SettingsError
from satsuma_server.forwarding import Destination, PythonDestination, SecretReference, WebhookDestination
from satsuma_server.forwarding.services import (
    AmplitudeDestination,
    FilesDestination,
    Ga4Destination,
    KissmetricsDestination,
    MixpanelDestination,
    NatsDestination,
    PostHogDestination,
    SegmentDestination,
)

from . import amplitude, ga4, kissmetrics, mixpanel, posthog
from .amplitude import Amplitude
from .ga4 import Ga4
from .kissmetrics import Kissmetrics
from .mixpanel import Mixpanel
from .posthog import PostHog
from .python_function import PythonFunction
from .segment import Segment
from .webhook import Webhook

SERVICES: Mapping[type[Destination], Callable[[Any], HttpService]] = {
    WebhookDestination: Webhook,
    SegmentDestination: Segment,
    MixpanelDestination: Mixpanel,
    KissmetricsDestination: Kissmetrics,
    AmplitudeDestination: Amplitude,
    Ga4Destination: Ga4,
    PostHogDestination: PostHog,
}


def make_client(settings: Destination) -> tuple[DestinationClient, str]:
    """Return a destination's client, and its address for people.

    Raises:
        SettingsError: a secret is missing, or a function can't be imported.
    """
    if isinstance(settings, PythonDestination):
        return PythonFunction(settings), settings.python
    if isinstance(settings, FilesDestination):
        # Imported here because pyarrow takes long to import.
        from .files import Files

        return Files(settings), settings.path
    if isinstance(settings, NatsDestination):
        return _nats(settings)
    service = SERVICES[type(settings)](settings)
    return HttpDestination(service, settings.timeout_seconds, settings.concurrency), _address(settings)


def _nats(settings: NatsDestination) -> tuple[DestinationClient, str]:
    try:
        from .nats import Nats
    except ImportError:
        raise SettingsError("nats-py is not installed: pip install 'satsuma-server[nats]'") from None
    return Nats(settings), settings.subject


def _address(settings: Any) -> str:
    if isinstance(settings.url, SecretReference):
        return "(its URL is a secret)"
    return address_of(settings.url or _host(settings))


def _host(settings: Destination) -> str:
    match settings:
        case MixpanelDestination():
            return mixpanel.HOSTS[settings.region]
        case AmplitudeDestination():
            return amplitude.HOSTS[settings.region]
        case PostHogDestination():
            return posthog.HOSTS[settings.region]
        case Ga4Destination():
            return ga4.HOST
    return kissmetrics.HOST
