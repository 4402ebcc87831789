"""The Satsuma collector: Segment's tracking API on Starlette, with a durable log."""

__version__ = "0.2.0"

from .assets.interpreter import plain_pyodide
from .assets.snippet import snippet

__all__ = ["__version__", "plain_pyodide", "snippet"]
