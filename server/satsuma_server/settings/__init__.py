"""What a collector is told at its start."""

from .audit import AuditRuleSettings, AuditSettings, HealthSettings
from .collector import RUNTIME, MetricsMode, Settings, settings_from_json, settings_to_json
from .file import log_of, make_settings, profiles_of
from .sources import Limit, Limits, Source, WriteKey
from .token import check_token, weakness_of
from .warehouse import NewNameSettings, PinnedType, WarehouseSettings

__all__ = [
    "RUNTIME",
    "AuditRuleSettings",
    "AuditSettings",
    "HealthSettings",
    "Limit",
    "Limits",
    "MetricsMode",
    "NewNameSettings",
    "PinnedType",
    "Settings",
    "Source",
    "WarehouseSettings",
    "WriteKey",
    "check_token",
    "log_of",
    "make_settings",
    "profiles_of",
    "settings_from_json",
    "settings_to_json",
    "weakness_of",
]
