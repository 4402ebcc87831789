"""The browser under Pyodide: cookies, localStorage, the page, fetch and beacon; only here is `js` imported.

A page with the snippet never imports this by hand. An app that runs Pyodide already does:

    >>> from satsuma.platforms.browser import load
    >>> analytics = load("demo", "https://collector.example")
"""

from satsuma.errors import BootError

try:
    from .boot import load
except ImportError as error:
    if "jsnull" not in str(error):
        raise
    raise BootError("Satsuma needs Pyodide 0.28 or newer: take a newer version of the app that runs it.") from error

__all__ = ["load"]
