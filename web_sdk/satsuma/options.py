"""Reads the options of ``analytics.load`` and the collector's settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .consent import ConsentState
from .cookie_jar import CookieOptions
from .delivery_options import DeliveryOptions
from .environment import Environment
from .errors import BootError
from .identity import GROUP_KEYS, USER_KEYS, IdentityOptions
from .plugins import DELIVERY_NAME
from .query_string import QueryPatterns
from .storage import DEFAULT_STORES, StoreKind, parse_kinds
from .validation import as_mapping

SIGNALS = {"respectGlobalPrivacyControl": "globalPrivacyControl", "respectDoNotTrack": "doNotTrack"}
"""Load options, and the signal of the browser that each of them respects."""

REQUIRED = "required"
"""Value of the load option ``consent`` with which everything waits for the visitor's answer."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The address that events are sent to.

    Attributes:
        write_key: the write key of the source.
        url: the URL of the collector's ``/v1``, without a slash at the end.
        metadata: ``_metadata`` of every event about the source's destinations, as in analytics.js; None for none.
    """

    write_key: str
    url: str
    metadata: Mapping[str, Any] | None = None

    @classmethod
    def from_settings(
        cls, write_key: str, settings: Mapping[str, Any], integrations: Mapping[str, Any] | None = None
    ) -> Endpoint:
        """Read the collector's settings.

        Args:
            write_key: the write key of the source.
            settings: the entry ``Segment.io``, merged with that of the load options.
            integrations: all entries of the settings.

        Raises:
            BootError: the settings name no host.
        """
        host = settings.get("apiHost")
        if not isinstance(host, str) or not host:
            raise BootError("the settings name no apiHost: check the collector's /v1/projects/{writeKey}/settings")
        if not host.startswith(("http://", "https://")):
            host = f"{settings.get('protocol') or 'https'}://{host}"
        return cls(str(settings.get("apiKey") or write_key), host.rstrip("/"), _metadata(settings, integrations or {}))


@dataclass(slots=True)
class LoadOptions:
    """The options of analytics.js's ``load`` that Satsuma supports, validated and typed.

    Attributes:
        persist: False keeps everything in memory (``disableClientPersistence``).
        disable: keep nothing and send nothing.
        integrations: destinations by name; False turns one off.
        initial_pageview: call ``page()`` once at the start.
        query_patterns: which ids a link may set; None where links can't cause calls (``useQueryString: false``).
        consent_required: whether nothing is kept or sent before the visitor's answer.
        signals: signals of the browser that count as a no.
        retry_queue: False where events are tried only once, and not at all without a network.
    """

    user: IdentityOptions
    group: IdentityOptions
    cookie: CookieOptions = field(default_factory=CookieOptions)
    kinds: tuple[StoreKind, ...] = DEFAULT_STORES
    persist: bool = True
    disable: bool = False
    integrations: dict[str, Any] = field(default_factory=dict)
    delivery: DeliveryOptions = field(default_factory=DeliveryOptions)
    initial_pageview: bool = False
    query_patterns: QueryPatterns | None = field(default_factory=QueryPatterns)
    consent_required: bool = False
    signals: frozenset[str] = frozenset()
    retry_queue: bool = True

    @classmethod
    def from_mapping(
        cls, given: Mapping[str, Any] | None = None, settings: Mapping[str, Any] | None = None
    ) -> LoadOptions:
        """Read options by analytics.js's names. Unknown ones are ignored.

        Args:
            given: the options.
            settings: the settings of the destination ``Segment.io``, if they are not those in the options.
        """
        given = given or {}
        kinds = parse_kinds(given.get("storage"))
        integrations = as_mapping(given.get("integrations"))
        destination = as_mapping(settings or integrations.get(DELIVERY_NAME))
        retry_queue = given.get("retryQueue", destination.get("retryQueue")) is not False
        return cls(
            user=IdentityOptions.from_options(given.get("user"), USER_KEYS, kinds),
            group=IdentityOptions.from_options(given.get("group"), GROUP_KEYS, kinds),
            cookie=CookieOptions.from_options(given.get("cookie")),
            kinds=kinds,
            persist=not given.get("disableClientPersistence"),
            disable=given.get("disable") is True,
            integrations=integrations,
            delivery=DeliveryOptions.from_settings(destination, retry_queue=retry_queue),
            retry_queue=retry_queue,
            initial_pageview=bool(given.get("initialPageview")),
            query_patterns=_patterns(given.get("useQueryString")),
            consent_required=given.get("consent") == REQUIRED,
            signals=frozenset(signal for option, signal in SIGNALS.items() if given.get(option)),
        )

    def delivers(self) -> bool:
        """Tell whether events are sent to the collector."""
        named = self.integrations.get(DELIVERY_NAME)
        if self.disable or named is False:
            return False
        return bool(named) or self.integrations.get("All") is not False

    def identity(self, options: IdentityOptions, *, kept: bool) -> IdentityOptions:
        """Return the options of an identity that is kept in the stores or, if `kept` is false, in memory."""
        return options if kept and not self.disable else replace(options, persist=False)

    def consent(self, environment: Environment) -> ConsentState:
        """Return the state of consent before the visitor has answered."""
        if self.signals & environment.refuses_tracking:
            return ConsentState.DENIED
        return ConsentState.PENDING if self.consent_required else ConsentState.GRANTED


def _metadata(settings: Mapping[str, Any], integrations: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return ``_metadata``: which destinations other than the collector run in the page, and which don't.

    Source: analytics-next ``plugins/segmentio/normalize``.
    """
    if settings.get("addBundledMetadata") is False:
        return None
    status = {str(name): as_mapping(entry).get("bundlingStatus") for name, entry in integrations.items()}
    bundled = sorted({DELIVERY_NAME} | {name for name, one in status.items() if one == "bundled"})
    unbundled = {name for name, one in status.items() if one == "unbundled"}
    unbundled |= set(map(str, settings.get("unbundledIntegrations") or ()))
    ids = as_mapping(settings.get("maybeBundledConfigIds"))
    held = [given for name in bundled if isinstance(given := ids.get(name), list)]
    return {
        "bundled": bundled,
        "unbundled": sorted(unbundled),
        "bundledIds": [str(one) for given in held for one in given],
    }


def _patterns(given: object) -> QueryPatterns | None:
    if given is False:
        return None
    named = as_mapping(given)
    return QueryPatterns(**{name: named[name] for name in ("aid", "uid") if callable(named.get(name))})
