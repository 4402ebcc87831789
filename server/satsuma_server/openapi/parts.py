"""Functions that build parts of the OpenAPI document."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

TOKEN: list[Schema] = [{"token": []}]
JSON, NDJSON = "application/json", "application/x-ndjson"

TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "integer"}
FLAG: Schema = {"type": "boolean"}
OBJECT: Schema = {"type": "object"}
TIME: Schema = {"type": "string", "format": "date-time"}

MEANINGS = {
    "400": "Nothing could be accepted; the body names what and where.",
    "401": "Key or token is missing or unknown.",
    "403": "The source doesn't allow pages of this origin, or the token doesn't have the scope.",
    "404": "There is no such thing.",
    "408": "The body took too long to come.",
    "409": "It can't be done as things are; the body says why.",
    "413": "The body is too large.",
    "415": "The body is compressed in a way that isn't read: send gzip, deflate, or no compression.",
    "429": "The log falls behind, or the sender has sent too much: try again after Retry-After seconds.",
    "503": "It can't be done now: try again after Retry-After seconds.",
}


def record(**properties: Schema) -> Schema:
    """Return the schema of an object that has all of these properties."""
    return {"type": "object", "required": list(properties), "properties": properties}


def listed(schema: Schema) -> Schema:
    """Return the schema of a list."""
    return {"type": "array", "items": schema}


def maybe(schema: Schema) -> Schema:
    """Return the schema of a value that may also be null."""
    return {"anyOf": [schema, {"type": "null"}]}


def named(name: str) -> Schema:
    """Return a reference to a schema in the document."""
    return {"$ref": f"#/components/schemas/{name}"}


def operation(name: str, about: str, answer: Schema, *faulty: str, parameters: list[Schema] | None = None) -> Schema:
    """Return an operation that needs a token. The document adds the scope that the token needs.

    Args:
        name: the id of the operation.
        about: a sentence that says what it does.
        answer: the content of the answer 200, by media type.
        faulty: statuses of errors that it may answer in addition to 400, 401 and 403.
        parameters: parameters in path and query.
    """
    return {
        "operationId": name,
        "summary": about,
        "security": TOKEN,
        "parameters": parameters or [],
        "responses": {"200": {"description": about, "content": answer}, **faults("400", "401", "403", *faulty)},
    }


def told(name: str, about: str, schema: Schema, *parameters: Schema) -> Schema:
    """Return an operation of the second process that answers JSON of this schema."""
    return operation(name, about, {JSON: {"schema": schema}}, "404", "409", "503", parameters=list(parameters))


def in_path(name: str, about: str, schema: Schema) -> Schema:
    """Return a parameter in the path."""
    return {"name": name, "in": "path", "required": True, "description": about, "schema": schema}


def in_query(name: str, about: str, schema: Schema) -> Schema:
    """Return a parameter in the query."""
    return {"name": name, "in": "query", "description": about, "schema": schema}


def whole_number(name: str, about: str, **bounds: int) -> Schema:
    """Return a parameter in the query that is a whole number."""
    return in_query(name, about, {"type": "integer", "minimum": 0, **bounds})


def fault() -> Schema:
    """Return the schema of the answer to a request that failed."""
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


def faults(*statuses: str) -> Schema:
    """Return the error answers with these statuses."""
    content = {JSON: {"schema": named("Fault")}}
    return {status: {"description": MEANINGS[status], "content": content} for status in statuses}
