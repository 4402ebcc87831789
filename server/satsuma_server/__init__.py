"""The Satsuma collector: Segment's tracking API on Starlette, with a durable log."""

__version__ = "0.1.0"

from .assets.snippet import snippet

__all__ = ["__version__", "snippet"]
