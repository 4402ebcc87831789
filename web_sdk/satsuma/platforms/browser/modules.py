"""Loads a page's own plugins in Python, by the load option ``pythonPlugins: ["/plugin.py"]``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

from satsuma.plugins import Plugin

NAME = "plugins"
"""The name of the list of plugins in such a module."""


def plugins_of(url: str, text: str, warn: Callable[[str], None]) -> list[Plugin]:
    """Run a module and return its ``plugins``. One that fails is warned of and left out.

    The page has no files: a module imports what the SDK itself uses of the standard library, and nothing else.
    """
    module = ModuleType(url)
    # Dataclasses look here for what their annotations name.
    sys.modules[url] = module
    try:
        exec(compile(text, url, "exec"), module.__dict__)  # noqa: S102 (the page's owner names it, as a script's src)
        found: Any = getattr(module, NAME)
        return list(found)
    except Exception as error:
        warn(f"The plugins of {url} could not be loaded ({type(error).__name__}: {error}): it must set {NAME} = [...].")
        return []
