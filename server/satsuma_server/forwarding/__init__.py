"""Which events go to a destination, and in which form: the settings ``[[destinations]]``, and the rules in them.

Everything here is pure: it decides about one event, without files and network. See docs/destinations.md.
"""

from __future__ import annotations

from .rules import Forwarding
from .services import AnyDestination, destinations_from
from .settings import Destination, Filter, PythonDestination, SecretReference, WebhookDestination

__all__ = [
    "AnyDestination",
    "Destination",
    "Filter",
    "Forwarding",
    "PythonDestination",
    "SecretReference",
    "WebhookDestination",
    "destinations_from",
]
