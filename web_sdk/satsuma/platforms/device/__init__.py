"""The SDK in an app on a device: one file for who uses it, and events that wait on disk without a network."""

from satsuma.platforms.cpython.transport import Answer, HttpTransport, Transport

from .app import App
from .client import Client

__all__ = ["Answer", "App", "Client", "HttpTransport", "Transport"]
