"""The description of the HTTP API in OpenAPI 3.1."""

from __future__ import annotations

from functools import cache

from satsuma_server import __version__
from satsuma_server.access import scope_of

from . import destinations, people, profiles, reading, tracking, warehouse
from .parts import TOKEN, Schema, fault


@cache
def document(*, worker: bool = False) -> Schema:
    """Return the document.

    Args:
        worker: whether the second process runs, which has the routes of profiles, people, the warehouse and the
            destinations.
    """
    parts = [tracking, reading, *((profiles, people, warehouse, destinations) if worker else ())]
    schemas = {"Fault": fault()}
    for part in (tracking, reading, *((profiles, warehouse, destinations) if worker else ())):
        schemas |= part.schemas()
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Satsuma collector",
            "version": __version__,
            "description": "Segment's HTTP tracking API. A 200 means that the events are durable.",
        },
        "paths": {path: _with_scopes(path, methods) for part in parts for path, methods in part.paths().items()},
        "components": {
            "securitySchemes": {
                "writeKey": {
                    "type": "http",
                    "scheme": "basic",
                    "description": "The write key, or on a server a secret key, as user name.",
                },
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A token with the scope that each operation names.",
                },
            },
            "schemas": schemas,
        },
    }


def _with_scopes(path: str, methods: Schema) -> Schema:
    """Return the operations of a path, where each that needs a token names the scope."""
    return {
        method: {
            **told,
            "security": [{"token": [scope_of(method.upper(), path)]} if one in TOKEN else one for one in security],
        }
        if isinstance(told, dict) and (security := told.get("security"))
        else told
        for method, told in methods.items()
    }
