"""The settings of destinations that are particular services, and the list of all kinds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

import msgspec

from satsuma_server.errors import SettingsError

from .settings import (
    Destination,
    PythonDestination,
    SecretReference,
    WebhookDestination,
    check_destinations,
    is_url,
)


class _Service(Destination, frozen=True, kw_only=True):
    """A service with an address of its own; `url` is another one, for proxies and tests."""

    url: str = ""

    def _conditions(self) -> list[tuple[bool, str]]:
        return [*super()._conditions(), (not self.url or is_url(self.url), "url must begin with https:// or http://")]


class _Deleting(_Service, frozen=True, kw_only=True):
    """A service that deletes people by another API, whose origin `deletion_url` is for proxies and tests."""

    deletion_url: str = ""

    def _conditions(self) -> list[tuple[bool, str]]:
        is_fit = not self.deletion_url or is_url(self.deletion_url)
        return [*super()._conditions(), (is_fit, "deletion_url must begin with https:// or http://")]


class SegmentDestination(_Service, frozen=True, kw_only=True, tag="segment"):
    """Another collector with Segment's tracking API, such as a second Satsuma.

    Attributes:
        url: its origin, to which ``/v1/batch`` is added.
        write_key: the key that events are sent with.
        write_keys: other keys for events of some sources, by the write keys of these.
        token: a token of the other collector with the scope ``delete``, where it is a Satsuma: people who are deleted
            here are deleted there, too.
    """

    label: ClassVar[str] = "Segment.io"

    write_key: str | SecretReference
    write_keys: dict[str, str | SecretReference] = msgspec.field(default_factory=dict)
    token: SecretReference | None = None

    def _conditions(self) -> list[tuple[bool, str]]:
        return [*super()._conditions(), (bool(self.url), "url, the origin of the other collector, is missing")]


class MixpanelDestination(_Deleting, frozen=True, kw_only=True, tag="mixpanel"):
    """Mixpanel.

    Attributes:
        token: the project token.
        id_merge: which ID management the project has. ``simplified`` puts ``$device_id`` and ``$user_id`` on events;
            ``original`` is told of links by ``$identify``; ``legacy`` by ``$create_alias``.
        region: where the project's data is kept.
        deletion_token: the OAuth token for the GDPR API, with which people who are deleted here are deleted there. It
            expires after a year.
    """

    label: ClassVar[str] = "Mixpanel"

    token: str | SecretReference
    id_merge: Literal["simplified", "original", "legacy"] = "simplified"
    region: Literal["us", "eu", "in"] = "us"
    deletion_token: SecretReference | None = None


class KissmetricsDestination(_Service, frozen=True, kw_only=True, tag="kissmetrics"):
    """Kissmetrics. `key` is the API key."""

    label: ClassVar[str] = "Kissmetrics"

    key: str | SecretReference


class AmplitudeDestination(_Deleting, frozen=True, kw_only=True, tag="amplitude"):
    """Amplitude. `key` is the project's API key, and `region` where its data is kept. With the project's `secret_key`,
    people who are deleted here are deleted there, too."""

    label: ClassVar[str] = "Amplitude"

    key: str | SecretReference
    region: Literal["us", "eu"] = "us"
    secret_key: SecretReference | None = None


class Ga4Destination(_Service, frozen=True, kw_only=True, tag="ga4"):
    """Google Analytics 4, by the Measurement Protocol. `measurement_id` is that of a web stream, as ``G-ABC123``, and
    `secret` an API secret of that stream."""

    label: ClassVar[str] = "Google Analytics 4"

    measurement_id: str
    secret: SecretReference


class PostHogDestination(_Deleting, frozen=True, kw_only=True, tag="posthog"):
    """PostHog. `key` is the project's API key. Without `url`, the origin of a host of one's own, `region` counts. With
    `project_id` and a `personal_api_key` of the scope ``person:write``, people who are deleted here are deleted there,
    too."""

    label: ClassVar[str] = "PostHog"

    key: str | SecretReference
    region: Literal["us", "eu"] = "us"
    project_id: str = ""
    personal_api_key: SecretReference | None = None

    def _conditions(self) -> list[tuple[bool, str]]:
        both = bool(self.project_id) is (self.personal_api_key is not None)
        return [*super()._conditions(), (both, "project_id and personal_api_key are given together")]


class FilesDestination(Destination, frozen=True, kw_only=True, tag="files"):
    """Files in a folder, or in a storage that fsspec knows.

    Attributes:
        path: a folder, or a URL as ``s3://bucket/events``.
        format: ``ndjson``, one event a line, compressed by gzip; or ``parquet``, one event a row.
        options: what fsspec is told about the storage, which may be secrets, as ``key`` and ``secret`` of S3.
        gather_seconds: how long to wait for more events before a file is written.
    """

    path: str
    format: Literal["ndjson", "parquet"] = "ndjson"
    options: dict[str, str | SecretReference] = msgspec.field(default_factory=dict)
    gather_seconds: float = 60.0
    concurrency: int = 1
    timeout_seconds: float = 60.0

    def _conditions(self) -> list[tuple[bool, str]]:
        return [*super()._conditions(), (bool(self.path), "path is missing")]


class NatsDestination(Destination, frozen=True, kw_only=True, tag="nats"):
    """A subject of NATS that a JetStream stream keeps.

    Attributes:
        servers: addresses, as ``nats://nats.example:4222``; they may be secrets, since they can hold a password.
        subject: where events are published.
        token: what the server asks of its clients; None for nothing.
    """

    servers: list[str | SecretReference]
    subject: str
    token: SecretReference | None = None

    def _conditions(self) -> list[tuple[bool, str]]:
        plain = self.subject and not set(self.subject) & set(" \t\r\n*>")
        return [
            *super()._conditions(),
            (bool(self.servers), "servers is empty: name one, as nats://nats.example:4222"),
            (bool(plain), "subject must be one without spaces and wildcards"),
        ]


AnyDestination = (
    WebhookDestination
    | PythonDestination
    | SegmentDestination
    | MixpanelDestination
    | KissmetricsDestination
    | AmplitudeDestination
    | Ga4Destination
    | PostHogDestination
    | FilesDestination
    | NatsDestination
)


def destinations_from(tables: Sequence[Mapping[str, Any]]) -> tuple[AnyDestination, ...]:
    """Return the destinations of a settings file. Raises `SettingsError`, which says what is wrong with which one."""
    made = []
    for place, table in enumerate(tables, 1):
        given = {**({"type": "python"} if "python" in table else {}), **table}
        try:
            made.append(msgspec.convert(given, AnyDestination))
        except msgspec.ValidationError as error:
            raise SettingsError(f"destinations, {table.get('name') or f'number {place}'}: {error}") from error
    check_destinations(made)
    return tuple(made)
