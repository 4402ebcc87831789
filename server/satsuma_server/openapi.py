"""What the collector answers to, for machines: OpenAPI 3.1."""

from __future__ import annotations

from functools import cache
from typing import Any

from satsuma.checks import EVENT_TYPES, MAX_BATCH_BYTES, MAX_EVENT_BYTES, MAX_ID_LENGTH

from . import __version__
from .reading import MAX_LIMIT

Schema = dict[str, Any]

ID: Schema = {"type": ["string", "number", "null"], "maxLength": MAX_ID_LENGTH}
OBJECT: Schema = {"type": ["object", "null"]}
TIME: Schema = {"description": "ISO 8601"}
COMMON: Schema = {
    "userId": ID,
    "anonymousId": ID,
    "messageId": {"type": ["string", "null"], "maxLength": MAX_ID_LENGTH},
    "timestamp": TIME,
    "sentAt": TIME,
    "context": OBJECT,
    "integrations": OBJECT,
    "writeKey": {"type": "string"},
}
OWN: dict[str, Schema] = {
    "identify": {"traits": OBJECT},
    "track": {"event": {"type": "string", "minLength": 1, "maxLength": MAX_ID_LENGTH}, "properties": OBJECT},
    "page": {"name": {}, "category": {}, "properties": OBJECT},
    "screen": {"name": {}, "category": {}, "properties": OBJECT},
    "group": {"groupId": ID, "traits": OBJECT},
    "alias": {"previousId": ID},
}
REQUIRED = {"track": ["event"], "alias": ["userId", "previousId"]}
TOKEN: list[Schema] = [{"token": []}]
KEY: list[Schema] = [{"writeKey": []}, {}]


@cache
def document() -> Schema:
    """Return the document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Satsuma collector",
            "version": __version__,
            "description": "Segment's HTTP tracking API. A 200 means that the events are durable.",
        },
        "paths": {**_tracking(), **_early(), **_pixel(), **_reading()},
        "components": {
            "securitySchemes": {
                "writeKey": {"type": "http", "scheme": "basic", "description": "The write key as user name."},
                "token": {"type": "http", "scheme": "bearer"},
            },
            "schemas": {**{kind.capitalize(): _event(kind) for kind in EVENT_TYPES}, "Fault": _fault()},
        },
    }


def _tracking() -> Schema:
    paths = {}
    for kind in EVENT_TYPES:
        about = f"One {kind} event, at most {MAX_EVENT_BYTES} bytes."
        for path in (f"/v1/{kind}", f"/v1/{kind[0]}"):
            paths[path] = _post(path, about, {"$ref": f"#/components/schemas/{kind.capitalize()}"})
    for path in ("/v1/batch", "/v1/b", "/v1/import"):
        paths[path] = _post(path, f"Events of any kind, at most {MAX_BATCH_BYTES} bytes in all.", _batch())
    for path in ("/v1/m", "/v1/metrics"):
        paths[path] = _post(path, "A client's own statistics: counted, not kept.", {})
    return paths


def _post(path: str, about: str, schema: Schema) -> Schema:
    content = {kind: {"schema": schema} for kind in ("application/json", "text/plain")}
    operation = {
        "operationId": path.removeprefix("/v1/"),
        "summary": about,
        "security": KEY,
        "requestBody": {"required": True, "content": content},
        "responses": {
            "200": {"description": "Durable. `refused` names the events of a batch that were not accepted."},
            **_faults("400", "401", "403", "408", "413", "429", "503"),
        },
    }
    return {"post": operation}


def _early() -> Schema:
    text: Schema = {"type": "string"}
    properties: dict[str, Schema] = {
        "calls": {"type": "array", "items": {"type": "array"}, "description": "Each its name, arguments and note."},
        "writeKey": text,
        "sentAt": text,
        "cookies": text,
        "domain": text,
        "locale": {"type": ["string", "null"]},
        "timezone": {"type": ["string", "null"]},
        "storage": {"type": "object", "additionalProperties": text},
        "options": {"type": "object"},
    }
    schema = {"type": "object", "required": ["calls"], "properties": properties}
    operation = _post("/v1/early", "Calls of a page whose visitor left before Python was up.", schema)
    operation["post"]["responses"]["204"] = {"description": "Nothing in it makes an event."}
    return {"/v1/early": operation}


def _pixel() -> Schema:
    parameters = [
        {"name": "kind", "in": "path", "required": True, "schema": {"enum": list(EVENT_TYPES)}},
        {"name": "data", "in": "query", "required": True, "schema": {"type": "string", "contentEncoding": "base64"}},
    ]
    answers = {"200": {"description": "A transparent GIF."}, **_faults("400", "401", "403", "429", "503")}
    operation = {"operationId": "pixel", "summary": "One event, as an image.", "parameters": parameters}
    return {"/v1/pixel/{kind}": {"get": {**operation, "responses": answers}}}


def _reading() -> Schema:
    numbers = [_number("after", "Only what comes after this one."), _number("limit", "At most so many.")]
    last = {"name": "last", "in": "query", "schema": {"type": "integer", "minimum": 0, "maximum": MAX_LIMIT}}
    events = _get("events", "Stored events as NDJSON, in the log's order.", [*numbers, last])
    refused = _get("refused", "Refused events as NDJSON, with reason and raw text.", numbers)
    health: Schema = {
        "operationId": "health",
        "summary": "Whether the log takes writes.",
        "responses": {"200": {"description": "It does."}, "503": {"description": "It does not."}},
    }
    violations = _get("violations", "What was not as planned, counted, as NDJSON.", [])
    return {
        "/v1/events": events,
        "/v1/refused": refused,
        "/v1/violations": violations,
        "/v1/health": {"get": health},
    }


def _get(name: str, about: str, parameters: list[Schema]) -> Schema:
    answers = {"200": {"description": about, "content": {"application/x-ndjson": {}}}, **_faults("400", "401")}
    operation = {"operationId": name, "summary": about, "security": TOKEN, "parameters": parameters}
    return {"get": {**operation, "responses": answers}}


def _number(name: str, about: str) -> Schema:
    return {"name": name, "in": "query", "description": about, "schema": {"type": "integer", "minimum": 0}}


def _event(kind: str) -> Schema:
    schema: Schema = {"type": "object", "properties": {**COMMON, **OWN[kind]}}
    return schema | {"required": REQUIRED[kind]} if kind in REQUIRED else schema


def _batch() -> Schema:
    kinds = [{"$ref": f"#/components/schemas/{kind.capitalize()}"} for kind in EVENT_TYPES]
    return {
        "type": "object",
        "required": ["batch"],
        "properties": {
            "batch": {"type": "array", "items": {"anyOf": kinds}},
            "writeKey": {"type": "string"},
            "sentAt": TIME,
            "context": OBJECT,
            "integrations": OBJECT,
        },
    }


def _fault() -> Schema:
    error = {
        "type": "object",
        "required": ["message"],
        "properties": {
            "message": {"type": "string"},
            "path": {"type": "string"},
            "index": {"type": ["integer", "null"]},
        },
    }
    properties = {"success": {"const": False}, "error": error}
    return {"type": "object", "required": ["success", "error"], "properties": properties}


def _faults(*statuses: str) -> Schema:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Fault"}}}
    meanings = {
        "400": "Nothing could be accepted; the body names what and where.",
        "401": "Key or token is missing or unknown.",
        "403": "The source doesn't allow pages of this origin.",
        "408": "The body took too long to come.",
        "413": "The body is too large.",
        "429": "The log falls behind: try again after Retry-After seconds.",
        "503": "The log can't write: try again after Retry-After seconds.",
    }
    return {status: {"description": meanings[status], "content": content} for status in statuses}
