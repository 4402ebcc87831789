"""Satsuma: web analytics identity in Python, in the browser under Pyodide and on a server under CPython."""

__version__ = "0.1.0"
