"""What ``analytics.load`` takes, and what the collector's settings answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .delivery import DeliveryOptions
from .errors import BootError
from .identity import GROUP_KEYS, USER_KEYS, IdentityOptions
from .pipeline import DELIVERY_NAME
from .storage import DEFAULT_STORES, CookieOptions, StoreKind, parse_kinds


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where events go.

    Attributes:
        write_key: the source.
        url: the collector's ``/v1``, without a slash at the end.
    """

    write_key: str
    url: str

    @classmethod
    def from_settings(cls, write_key: str, settings: Mapping[str, Any]) -> Endpoint:
        """Read the collector's settings answer, with the load options' ``Segment.io`` entry laid over it.

        Raises:
            BootError: the settings name no host.
        """
        host = settings.get("apiHost")
        if not isinstance(host, str) or not host:
            raise BootError("the settings name no apiHost: check the collector's /v1/projects/{writeKey}/settings")
        if not host.startswith(("http://", "https://")):
            host = f"{settings.get('protocol') or 'https'}://{host}"
        return cls(str(settings.get("apiKey") or write_key), host.rstrip("/"))


@dataclass(slots=True)
class LoadOptions:
    """The options of analytics.js's ``load`` that Satsuma knows, read and typed.

    Attributes:
        persist: False keeps everything in memory (``disableClientPersistence``).
        integrations: destinations by name; False turns one off.
        initial_pageview: call ``page()`` once at the start.
        use_query_string: False ignores ``ajs_uid``, ``ajs_aid`` and ``ajs_event``; an object gives patterns.
    """

    user: IdentityOptions
    group: IdentityOptions
    cookie: CookieOptions = field(default_factory=CookieOptions)
    kinds: tuple[StoreKind, ...] = DEFAULT_STORES
    persist: bool = True
    integrations: dict[str, Any] = field(default_factory=dict)
    delivery: DeliveryOptions = field(default_factory=DeliveryOptions)
    initial_pageview: bool = False
    use_query_string: Any = True

    @classmethod
    def from_mapping(cls, given: Mapping[str, Any] | None = None) -> LoadOptions:
        """Read analytics.js's option names; unknown ones are passed over."""
        given = given or {}
        kinds = parse_kinds(given.get("storage"))
        integrations = _mapping(given.get("integrations"))
        return cls(
            user=IdentityOptions.from_options(given.get("user"), USER_KEYS, kinds),
            group=IdentityOptions.from_options(given.get("group"), GROUP_KEYS, kinds),
            cookie=CookieOptions.from_options(given.get("cookie")),
            kinds=kinds,
            persist=not given.get("disableClientPersistence"),
            integrations=integrations,
            delivery=_delivery(_mapping(integrations.get(DELIVERY_NAME))),
            initial_pageview=bool(given.get("initialPageview")),
            use_query_string=given.get("useQueryString", True),
        )

    def delivers(self) -> bool:
        """Tell whether events go to the collector at all."""
        if DELIVERY_NAME in self.integrations:
            return self.integrations[DELIVERY_NAME] is not False
        return self.integrations.get("All") is not False


def _delivery(settings: Mapping[str, Any]) -> DeliveryOptions:
    strategy = _mapping(settings.get("deliveryStrategy"))
    if strategy.get("strategy") != "batching":
        return DeliveryOptions()
    config = _mapping(strategy.get("config"))
    return DeliveryOptions(batch_size=int(config.get("size") or 10), batch_wait=float(config.get("timeout") or 5000))


def _mapping(value: object) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {}
