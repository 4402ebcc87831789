"""The SDK on a server: a client that sends events in batches, and middleware that shares the visitor's cookies."""

from satsuma.platforms.cpython.transport import Answer, HttpTransport, Transport

from .asgi import AnalyticsMiddleware
from .client import Client
from .identity import Mint
from .signing import sign_user_id
from .visitor import Visitor, Visitors
from .wsgi import WSGIAnalyticsMiddleware

__all__ = [
    "AnalyticsMiddleware",
    "Answer",
    "Client",
    "HttpTransport",
    "Mint",
    "Transport",
    "Visitor",
    "Visitors",
    "WSGIAnalyticsMiddleware",
    "sign_user_id",
]
