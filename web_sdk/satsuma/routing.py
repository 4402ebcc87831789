"""Routing rules: what a destination in the page gets of an event, as the source's settings say.

Source: analytics-next ``plugins/routing-middleware`` over Segment's tsub, whose rules these are: a rule has matchers,
each with a list of transformers. A matcher is an expression that was parsed already (``["=", "event", {"value": 1}]``),
in which a text is a path into the event. The collector gets every event as it is.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import ge, gt, le, lt
from typing import Any

from .errors import SatsumaError
from .events import Event
from .glob import matches_glob
from .validation import as_mapping

MISSING = object()
"""Stands for what an event doesn't have, JavaScript's ``undefined``."""

MOST_NESTED = 50
"""How deep an expression may be nested; no rule that anybody wrote comes near it."""

ORDERS = {"<": lt, "<=": le, ">": gt, ">=": ge}
"""How numbers are compared."""

FORBIDDEN = frozenset({"__proto__", "constructor", "prototype"})
"""Names that no rule writes to."""


class RoutingError(SatsumaError):
    """A rule of the settings can't be understood. Its event is kept from the destination, as in analytics.js."""


class Router:
    """The rules of one source."""

    def __init__(self, rules: Sequence[Mapping[str, Any]], random: Callable[[], float]) -> None:
        """Take the rules.

        Args:
            rules: the settings' ``routingRules``.
            random: returns a random number from 0 to 1, for rules that let only a share of the events pass.
        """
        self._rules = rules
        self._random = random
        self._expressions: dict[str, Any] = {}

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any], random: Callable[[], float]) -> Router:
        """Read a source's settings."""
        rules = as_mapping(settings.get("middlewareSettings")).get("routingRules")
        return cls([rule for rule in rules if isinstance(rule, Mapping)] if isinstance(rules, list) else [], random)

    def names(self, destination: str) -> bool:
        """Tell whether any rule is for this very destination."""
        return any(rule.get("destinationName") == destination for rule in self._rules)

    def route(self, destination: str, event: Event) -> Event | None:
        """Return an event as a destination gets it, None where it gets none; changes the event that it is given.

        Rules without the name of a destination are for all of them.

        Raises:
            RoutingError: a rule can't be understood.
        """
        for rule in self._rules:
            if rule.get("destinationName", destination) == destination:
                for matcher, transformers in _paired(rule):
                    if matches(event, matcher, self._read) and not self._transformed(event, transformers):
                        return None
        return event

    def _read(self, text: str) -> Any:
        """Return what the JSON of a matcher's expression says; it is read once for all events."""
        # Not `functools.cache`, which no page calls otherwise: the interpreter's second part would be loaded for it.
        if text not in self._expressions:
            self._expressions[text] = json.loads(text)
        return self._expressions[text]

    def _transformed(self, event: Event, transformers: Sequence[Any]) -> bool:
        """Apply transformers to an event; tell whether it is still to be sent."""
        for transformer in transformers:
            config = as_mapping(as_mapping(transformer).get("config"))
            match as_mapping(transformer).get("type"):
                case "drop":
                    return False
                case "drop_properties":
                    _keep(event, config.get("drop"), lambda name, names: name not in names)
                case "allow_properties":
                    _keep(event, config.get("allow"), lambda name, names: name in names)
                case "map_properties":
                    _map(event, as_mapping(config.get("map")))
                case "sample_event":
                    if not self._is_sampled(event, as_mapping(config.get("sample"))):
                        return False
                case "hash_properties":
                    pass  # Done on Segment's servers only.
                case other:
                    raise RoutingError(f"a routing rule has a transformer of the unknown type {other!r}")
        return True

    def _is_sampled(self, event: Event, sample: Mapping[str, Any]) -> bool:
        percent = sample.get("percent")
        share = percent if isinstance(percent, int | float) else 1
        if share <= 0 or share >= 1 or not sample.get("path"):
            return share > 0 and (share >= 1 or self._random() <= share)
        value = _get(event, str(sample["path"]))
        # The same value always has the same fate.
        return _number_of("" if value is MISSING else _written(value)) < share


def matches(event: Event, matcher: object, read: Callable[[Any], Any] = json.loads) -> bool:
    """Tell whether a matcher of a rule is true of an event.

    Args:
        event: the event.
        matcher: the matcher.
        read: reads the JSON of its expression; a router's remembers what it has read.

    Raises:
        RoutingError: it can't be understood.
    """
    given = as_mapping(matcher)
    if given.get("type") == "all":
        return True
    if given.get("type") != "fql":
        raise RoutingError(f"a routing rule has a matcher of the unknown type {given.get('type')!r}")
    if not given.get("ir"):
        return False
    try:
        expression = read(given["ir"])
    except (TypeError, ValueError) as error:
        raise RoutingError(f"the expression of a routing rule can't be read: {error}") from error
    return _evaluate(expression, event, MOST_NESTED) is True


def _paired(rule: Mapping[str, Any]) -> Iterator[tuple[object, Sequence[Any]]]:
    matchers, transformers = rule.get("matchers"), rule.get("transformers")
    if not isinstance(matchers, list) or not isinstance(transformers, list) or len(transformers) < len(matchers):
        raise RoutingError("a routing rule has no list of transformers for each of its matchers")
    for matcher, given in zip(matchers, transformers, strict=False):
        yield matcher, given if isinstance(given, list) else [given]


def _evaluate(expression: object, event: Event, depth: int) -> object:
    """Return what an expression has for its value: True or False for a condition."""
    if not isinstance(expression, list):
        return _operand(expression, event) is True
    if depth <= 0 or not expression:
        raise RoutingError("an expression of a routing rule is empty, or nested too deep")
    operator, *parts = expression
    below = depth - 1
    match operator, parts:
        case "!", [part]:
            return not _is_true(_evaluate(part, event, below))
        case "or", _:
            return any(_is_true(_evaluate(part, event, below)) for part in parts)
        case "and", _:
            return all(_is_true(_evaluate(part, event, below)) for part in parts)
        case (("=" | "!=" | "<" | "<=" | ">" | ">="), [one, other]):
            return _compared(operator, _value(one, event, below), _value(other, event, below))
        case "in", [one, [*others]]:
            value = _operand(one, event)
            return any(_same(_operand(other, event), value) for other in others)
        case (("contains" | "match"), [one, other]):
            return _found(operator, _operand(one, event), _operand(other, event))
        case (("lowercase" | "typeof" | "length"), [one]):
            return _measured(operator, _operand(one, event))
    raise RoutingError(f"an expression of a routing rule has the unknown form {operator!r} with {len(parts)} operands")


def _found(operator: str, text: object, sought: object) -> bool:
    if not isinstance(text, str) or not isinstance(sought, str):
        return False
    return sought in text if operator == "contains" else matches_glob(sought, text)


def _measured(function: str, value: object) -> object:
    match function:
        case "lowercase":
            return value.lower() if isinstance(value, str) else None
        case "typeof":
            return _type(value)
    if value is None:
        return 0
    return len(value) if isinstance(value, str | list) else float("nan")


def _value(operand: object, event: Event, depth: int) -> object:
    """Return what is compared: of a function what it gives, of everything else what it stands for."""
    if isinstance(operand, list):
        return _evaluate(operand, event, depth)
    return _operand(operand, event)


def _operand(operand: object, event: Event) -> object:
    if isinstance(operand, list):
        return operand
    if isinstance(operand, dict):
        return operand.get("value", MISSING)
    return _get(event, str(operand))


def _same(one: object, other: object) -> bool:
    if isinstance(one, dict | list) or isinstance(other, dict | list):
        return type(one) is type(other) and _written(one) == _written(other)
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return one == other


def _compared(operator: str, one: Any, other: Any) -> bool:
    if operator in ("=", "!="):
        return _same(one, other) is (operator == "=")
    if not _is_number(one) or not _is_number(other):
        return False
    return bool(ORDERS[operator](one, other))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value


def _is_true(value: object) -> bool:
    """Tell whether JavaScript takes a value for true."""
    return isinstance(value, dict | list) or (bool(value) and value is not MISSING and value == value)


def _type(value: object) -> str:
    """Return a value's type as JavaScript names it."""
    if value is MISSING:
        return "undefined"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, str):
        return "string"
    return "number" if isinstance(value, int | float) else "object"


def _get(event: object, path: str) -> Any:
    """Return what lies at a path of names with dots between them; one before which there is a backslash is no end."""
    return _at(event, _names(path))


def _at(event: object, names: Sequence[str]) -> Any:
    held = event
    for name in names:
        if isinstance(held, dict) and name in held:
            held = held[name]
        elif isinstance(held, list) and name.isdecimal() and int(name) < len(held):
            held = held[int(name)]
        else:
            return MISSING
    return held


def _names(path: str) -> list[str]:
    return [name.replace("\0", ".") for name in path.replace("\\.", "\0").split(".")]


def _set(event: dict[str, Any], path: str, value: object) -> None:
    *above, last = _names(path)
    if FORBIDDEN & {*above, last}:
        return
    held = event
    for name in above:
        if not isinstance(held.get(name), dict):
            held[name] = {}
        held = held[name]
    held[last] = value


def _remove(event: dict[str, Any], path: str) -> None:
    *above, last = _names(path)
    held = _at(event, above)
    if isinstance(held, dict):
        held.pop(last, None)


def _keep(event: Event, asked: object, keeps: Callable[[str, list[Any]], bool]) -> None:
    """Keep of the objects at some paths only the names that `keeps` says; of each, where there is a list of them."""
    for path, names in as_mapping(asked).items():
        found = event if path == "" else _get(event, path)
        for one in found if isinstance(found, list) else [found]:
            if isinstance(one, dict):
                for name in [name for name in one if not keeps(name, names if isinstance(names, list) else [])]:
                    del one[name]


def _map(event: Event, asked: Mapping[str, Any]) -> None:
    """Copy, move and set values. All of them are those that the event had before."""
    before = copy.deepcopy(event)
    for path, action in asked.items():
        above = _names(path)[:-1]
        told = as_mapping(action)
        if above and not isinstance(_at(before, above), dict | list | None):
            continue
        if source := told.get("copy") or told.get("move"):
            value = _get(before, str(source))
            if value is not MISSING:
                _set(event, path, value)
            if not told.get("copy"):
                _remove(event, str(source))
        elif "set" in told:
            # A rule behind this one may take something out of it, which is this event's business only.
            _set(event, path, copy.deepcopy(told["set"]))
        if told.get("to_string"):
            _write(event, path)


def _write(event: Event, path: str) -> None:
    value = _get(event, path)
    if value is None or value is MISSING or isinstance(value, bool | int | float):
        _set(event, path, "undefined" if value is MISSING else _written(value))


def _written(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _number_of(text: str) -> float:
    """Return a number from 0 to 1 that is always the same for a text (FNV-1a)."""
    number = 2_166_136_261
    for byte in text.encode(errors="surrogatepass"):  # A page may have cut an emoji in two.
        number = ((number ^ byte) * 16_777_619) & 0xFFFF_FFFF
    return number / 2**32
