"""The browser under Pyodide: cookies, localStorage, the page, fetch and beacon; only here is `js` imported.

A page with the snippet never imports this by hand. An app that runs Pyodide already does:

    >>> from satsuma.platforms.browser import load
    >>> analytics = load("demo", "https://collector.example")
"""

from .boot import load

__all__ = ["load"]
