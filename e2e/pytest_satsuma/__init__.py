"""Test a site's analytics identity in a real browser."""

from .aio import AsyncVisitor
from .chromium import launch_args
from .errors import ExpectationError
from .expect import AsyncExpectations, Expectations
from .identity import CookieState, IdentityState
from .libraries import LIBRARIES, Library
from .matching import Wanted
from .plugin import ExpectEvent
from .visitor import Visitor

__all__ = [
    "LIBRARIES",
    "AsyncExpectations",
    "AsyncVisitor",
    "CookieState",
    "ExpectEvent",
    "ExpectationError",
    "Expectations",
    "IdentityState",
    "Library",
    "Visitor",
    "Wanted",
    "launch_args",
]
