"""Satsuma: web analytics identity in Python, in the browser under Pyodide and on a server under CPython."""

__version__ = "0.2.0"

from .analytics import Analytics
from .errors import SatsumaError
from .pipeline import Cancelled, Context, Plugin, PluginKind

__all__ = ["Analytics", "Cancelled", "Context", "Plugin", "PluginKind", "SatsumaError", "__version__"]
