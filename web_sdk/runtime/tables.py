"""Runs in Pyodide, for the build: what its memory holds that nothing reads once the SDK is imported."""

import _imp
from importlib import import_module

CODECS = ("_codecs_cn", "_codecs_hk", "_codecs_iso2022", "_codecs_jp", "_codecs_kr", "_codecs_tw")
"""East Asia's legacy encodings, half of a megabyte of tables. A page's text is Unicode."""


def frozen() -> list[memoryview]:
    """Return the code of the modules that are frozen into the interpreter: read once, as they are imported."""
    _imp._override_frozen_modules_for_tests(1)  # They are off, so that those are imported that slim.py has made.
    found = (_imp.find_frozen(name, withdata=True) for name in _imp._frozen_module_names())
    return [one[0] for one in found if one]


def maps() -> list[int]:
    """Return the addresses of the capsules in which the codecs hand their tables to each other."""
    named = {name: value for module in CODECS for name, value in vars(import_module(module)).items()}
    # The table of pairs is another structure, and small.
    return [id(value) for name, value in named.items() if name.startswith("__map_") and not name.endswith("_pair")]
