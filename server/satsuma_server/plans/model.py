"""The model of a plan: JSON schemas for what calls carry.

For track there is a schema for the properties of each event name. For identify and group the schema describes the
traits, for page and screen the properties. ``every`` describes the whole of any event, for example
``{properties = {userId = {pattern = "^[0-9a-f]+$"}}}``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from satsuma_server.errors import PlanError

if TYPE_CHECKING:
    # Imported where it is used, so that a collector without a plan starts faster.
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError

Schema = Mapping[str, Any]

PAYLOADS = {
    "track": "properties",
    "page": "properties",
    "screen": "properties",
    "identify": "traits",
    "group": "traits",
}
"""The part of an event that the schema of each type of call describes."""

MOST = 20
"""The most violations that are reported for one event."""

TYPE_NAMES = {bool: "boolean", str: "string", int: "number", float: "number", list: "array", type(None): "null"}
"""How JSON schema calls the types of values, from the most special type to the most general."""

LONGEST = 120
"""The most characters of a value that a violation shows."""


class Violation(NamedTuple):
    """One way in which an event is not as planned.

    Attributes:
        type: type of the call.
        event: name of the event; empty where calls of that type have none.
        path: where in the event, in JavaScript's dotted form; empty for the whole event.
        rule: the rule that was broken: ``unplanned``, or the keyword of JSON schema.
        reason: one sentence without a full stop.
        summary: the same without any value of the event, for counts that stay when events are deleted; empty where
            the reason has none.
    """

    type: str
    event: str
    path: str
    rule: str
    reason: str
    summary: str = ""

    def __str__(self) -> str:
        called = f"{self.type} {self.event!r}" if self.event else self.type
        return f"{called}: {self.path} {self.reason}".replace(":  ", ": ")


@dataclass(frozen=True)
class Plan:
    """A tracking plan.

    Attributes:
        title: title for people.
        track: the schema of the properties for each event name.
        calls: the schema for each type of call that has no event names.
        every: the schema of any event as a whole.
        unplanned: whether track calls are allowed whose names are not in the plan.
    """

    title: str = ""
    track: Mapping[str, Schema] = field(default_factory=dict)
    calls: Mapping[str, Schema] = field(default_factory=dict)
    every: Schema | None = None
    unplanned: bool = False

    def __post_init__(self) -> None:
        """Raise `PlanError` where a schema is not valid."""
        for where, schema in self.schemas():
            _check_schema(where, schema)

    def schemas(self) -> Iterator[tuple[str, Schema]]:
        """Yield each schema, with its place in the plan."""
        for name, schema in self.track.items():
            yield f"track.{name!r}", schema
        yield from self.calls.items()
        if self.every is not None:
            yield "every", self.every

    def check(self, event: Mapping[str, Any]) -> list[Violation]:
        """Return the places where an event is not as planned, at most `MOST`.

        `event` is decoded JSON that has passed `satsuma.validation.check_event`. It is not changed.
        """
        kind = event["type"]
        name = event.get("event") if kind == "track" else None
        called = str(name or "")
        return list(islice(self._violations(event, kind, called), MOST))

    def _violations(self, event: Mapping[str, Any], kind: str, name: str) -> Iterator[Violation]:
        validators = self._validators
        validator = validators.get((kind, name))
        if validator is not None:
            payload = PAYLOADS[kind]
            yield from _told(validator, event.get(payload) or {}, kind, name, f".{payload}")
        elif kind == "track" and not self.unplanned:
            yield Violation(kind, name, "", "unplanned", "is not in the tracking plan")
        whole = validators.get(("", ""))
        if whole is not None:
            yield from _told(whole, event, kind, name, "")

    @cached_property
    def _validators(self) -> dict[tuple[str, str], Draft202012Validator]:
        made = {("track", name): _validator(schema) for name, schema in self.track.items()}
        made |= {(kind, ""): _validator(schema) for kind, schema in self.calls.items()}
        return made if self.every is None else {**made, ("", ""): _validator(self.every)}


def _validator(schema: Schema) -> Draft202012Validator:
    from jsonschema import Draft202012Validator

    return Draft202012Validator({"type": "object", **schema}, format_checker=Draft202012Validator.FORMAT_CHECKER)


def _check_schema(where: str, schema: Schema) -> None:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError

    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise PlanError(f"{where} is no JSON schema: {error.message}") from error
    for reference in _references(schema):
        if not reference.startswith("#"):
            raise PlanError(f"{where} refers to {reference!r}: only parts of the same schema can be referred to")


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, Mapping):
        for name, value in schema.items():
            if name in ("$ref", "$dynamicRef") and isinstance(value, str):
                yield value
            yield from _references(value)
    elif isinstance(schema, list):
        for item in schema:
            yield from _references(item)


def _told(validator: Draft202012Validator, payload: Any, kind: str, name: str, base: str) -> Iterator[Violation]:
    seen = set()
    for error in validator.iter_errors(payload):
        for path, reason, summary in _explained(error, base):
            violation = Violation(kind, name, path, str(error.validator), reason, summary)
            if violation not in seen:
                seen.add(violation)
                yield violation


def _explained(error: ValidationError, base: str) -> Iterator[tuple[str, str, str]]:
    """Yield path, reason and summary of each violation that an error stands for."""
    path = base + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path)
    match error.validator:
        case "required":
            for missing in error.validator_value:
                if missing not in error.instance:
                    yield f"{path}.{missing}", "is missing", ""
        case "additionalProperties" if isinstance(error.instance, Mapping) and not error.schema.get(
            "patternProperties"
        ):
            for extra in error.instance.keys() - error.schema.get("properties", {}).keys():
                yield f"{path}.{_cut(str(extra))}", "is not in the tracking plan", ""
        case "type":
            types = error.validator_value
            wanted = " or ".join(types) if isinstance(types, list) else types
            is_of = next((name for kind, name in TYPE_NAMES.items() if isinstance(error.instance, kind)), "object")
            summary = f"is of type {is_of}, not of type {wanted}"
            yield path, f"is {_cut(repr(error.instance))}, not of type {wanted}", summary
        case rule:
            yield path, _cut(error.message), _cut(f"is not as {rule} says: {error.validator_value!r}")


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
