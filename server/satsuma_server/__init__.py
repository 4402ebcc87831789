"""The Satsuma collector: Segment's tracking API on Starlette, with a durable log."""

from .assets.snippet import snippet

__all__ = ["snippet"]
