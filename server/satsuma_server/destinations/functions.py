"""Imports functions that the settings name as ``module:function``."""

from __future__ import annotations

import importlib
from typing import Any

from satsuma_server.errors import SettingsError


def load_function(named: str) -> Any:
    """Return what a text as ``module:function`` names. Raises `SettingsError` where it can't be imported."""
    module, _, name = named.partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except Exception as error:
        raise SettingsError(f"{named} can't be imported: {type(error).__name__}: {error}") from error
