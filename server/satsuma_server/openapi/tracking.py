"""Describes the routes of the tracking API, which take events."""

from __future__ import annotations

from satsuma.validation import EVENT_TYPES, MAX_BATCH_BYTES, MAX_EVENT_BYTES, MAX_ID_LENGTH

from .parts import Schema, faults

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
ACCEPTED = (
    "Durable. `refused` names the events of a batch that were not accepted, at most 200 of them; `refusedBesides` says "
    "how many more there are."
)
KEY: list[Schema] = [{"writeKey": []}, {}]


def paths() -> Schema:
    """Return the paths."""
    return {**_tracking(), **_early(), **_pixel()}


def schemas() -> Schema:
    """Return the schemas that the paths refer to."""
    return {kind.capitalize(): _event(kind) for kind in EVENT_TYPES}


def _tracking() -> Schema:
    paths = {}
    for kind in EVENT_TYPES:
        about = f"One {kind} event, at most {MAX_EVENT_BYTES} bytes."
        for path in (f"/v1/{kind}", f"/v1/{kind[0]}"):
            paths[path] = _post(path, about, {"$ref": f"#/components/schemas/{kind.capitalize()}"})
    for path in ("/v1/batch", "/v1/b", "/v1/import"):
        paths[path] = _post(path, f"Events of any kind, at most {MAX_BATCH_BYTES} bytes in all.", _batch())
    paths["/v1/import"]["post"] |= {
        "description": "History, whose timestamps stay as they are: needs a secret key of the source, or the token.",
        "security": [{"writeKey": []}, {"token": []}, {}],
    }
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
            "200": {"description": ACCEPTED},
            **faults("400", "401", "403", "408", "413", "415", "429", "503"),
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
        "answer": {"type": "boolean", "description": "The page is still open: answer with events and visitor, too."},
    }
    schema = {"type": "object", "required": ["calls"], "properties": properties}
    operation = _post("/v1/early", "Calls that a page made before Python was up; at most 64 kB.", schema)
    operation["post"]["responses"]["204"] = {"description": "Nothing in it makes an event."}
    return {"/v1/early": operation}


def _pixel() -> Schema:
    parameters = [
        {"name": "kind", "in": "path", "required": True, "schema": {"enum": list(EVENT_TYPES)}},
        {"name": "data", "in": "query", "required": True, "schema": {"type": "string", "contentEncoding": "base64"}},
    ]
    answers = {"200": {"description": "A transparent GIF."}, **faults("400", "401", "403", "404", "429", "503")}
    operation = {"operationId": "pixel", "summary": "One event, as an image.", "parameters": parameters}
    return {"/v1/pixel/{kind}": {"get": {**operation, "responses": answers}}}


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
