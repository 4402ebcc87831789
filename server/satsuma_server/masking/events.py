"""Applies rules to events: to whole events, to what all events of a request share, and to refused ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from satsuma_server.errors import SettingsError

from .patterns import EMAIL, IP, MASKED, Pattern, compile_pattern, finder, keyed_hash, replacement
from .rules import ANY, ANY_DEPTH, KEPT, MOST_RULES, PARTS, Action, MaskingRule, segments_of

SHORTEST_KEY = 32
WITHHELD = "; its text is not kept, since masking rules can only be applied to whole events in JSON"
"""The end of the reason of a refusal whose text is not kept."""

_GONE: Any = object()
"""In place of a value that is dropped."""

_encode = msgspec.json.Encoder(order="sorted").encode


@dataclass(frozen=True, slots=True)
class _Rule:
    """A rule that is ready to be applied.

    Attributes:
        paths: each as segments; empty for everywhere.
        change: returns a new value for what a path leads to; `_GONE` where it is dropped.
    """

    paths: tuple[tuple[str, ...], ...]
    change: Callable[[Any], Any]


class Masking:
    """The rules of one source."""

    def __init__(self, rules: Sequence[MaskingRule], key: str) -> None:
        """Take the rules, and the key of hashes, which only rules that hash need.

        Raises:
            SettingsError: a rule is not valid, or the key is too short.
        """
        if len(rules) > MOST_RULES:
            raise SettingsError(f"masking: there are more than {MOST_RULES} rules")
        if any(rule.action == "hash" for rule in rules) and len(key) < SHORTEST_KEY:
            raise SettingsError(f"masking: a rule hashes, so masking_key needs at least {SHORTEST_KEY} characters")
        self._rules = [_ready(rule, key) for rule in rules]

    def apply(self, event: dict[str, Any]) -> None:
        """Change an event as the rules say."""
        for rule in self._rules:
            if rule.paths:
                for first, *rest in rule.paths:
                    if rest:
                        _walk(event, (first, *rest), rule.change)
                    else:
                        _change_field(event, first, rule.change)
            else:
                for name in [name for name in event if name not in KEPT]:
                    _change_field(event, name, rule.change)

    def apply_to_text(self, text: str) -> str:
        """Return a text that tells of an event, such as the reason of a refusal, without what the rules look for."""
        probe: dict[str, Any] = {"reason": text}
        for rule in self._rules:
            if not rule.paths:
                _change_field(probe, "reason", rule.change)
        return str(probe["reason"])


def _ready(rule: MaskingRule, key: str) -> _Rule:
    if rule.find and rule.regex is not None:
        raise SettingsError("masking: a rule has find or regex, and not both")
    paths = [segments_of(path) for path in rule.where]
    if rule.find is None and rule.regex is None:
        if not paths:
            raise SettingsError("masking: a rule needs where, find or regex")
        for path in paths:
            if len(path) == 1 or path[0] not in PARTS:
                raise SettingsError(
                    f"masking: without find or regex, a rule names members of {', '.join(PARTS)}, as traits.email: not "
                    f"{'.'.join(path)!r}"
                )
        return _Rule(_with_context(paths), lambda value: _whole(value, rule.action, key))
    regex = rule.regex if rule.regex is not None else {"email": EMAIL, "ip": IP}[rule.find or ""]
    pattern, replace = compile_pattern(regex), replacement(rule.action, rule.find, key)
    if rule.action == "drop":
        found = finder(pattern, rule.find)
        return _Rule(_with_context(paths), lambda value: _rewrite(value, lambda text: _GONE if found(text) else text))
    return _Rule(_with_context(paths), lambda value: _rewrite(value, _replacer(pattern, replace)))


def _replacer(pattern: Pattern, replace: Callable[[str], str]) -> Callable[[str], str]:
    return lambda text: pattern.sub(lambda match: replace(match.group(0)), text)


def _with_context(paths: Sequence[tuple[str, ...]]) -> tuple[tuple[str, ...], ...]:
    return (*paths, *(("context", *path) for path in paths if path[0] == "traits"))


def _whole(value: Any, action: Action, key: str) -> Any:
    if value is None:
        return None
    if action == "drop":
        return _GONE
    if action == "mask":
        return MASKED
    return keyed_hash(value if isinstance(value, str) else _encode(value).decode(), key)


def _rewrite(value: Any, change: Callable[[str], Any]) -> Any:
    """Return a value in which all texts are changed, also those that are names, and numbers where they match as
    text."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        pairs = ((change(name), _rewrite(item, change)) for name, item in value.items())
        return {name: item for name, item in pairs if name is not _GONE and item is not _GONE}
    if isinstance(value, list):
        return [item for item in (_rewrite(item, change) for item in value) if item is not _GONE]
    if isinstance(value, int | float) and not isinstance(value, bool):
        text = str(value)
        return value if (changed := change(text)) == text else changed
    return value


def _walk(node: Any, path: Sequence[str], change: Callable[[Any], Any]) -> None:
    """Change what a path leads to, from a node on. Events have a bounded depth, and a path at most one ``**``."""
    if isinstance(node, list):
        for item in node:
            _walk(item, path, change)
    elif isinstance(node, dict):
        name, *rest = path
        if name == ANY_DEPTH:
            _walk_deep(node, path, change)
            return
        for key in [*node] if name == ANY else [name] if name in node else []:
            if rest:
                _walk(node[key], rest, change)
            else:
                _set(node, key, change(node[key]))


def _walk_deep(node: dict[str, Any], path: Sequence[str], change: Callable[[Any], Any]) -> None:
    """Do the same for a path that begins with ``**``. At its end, this means all values that hold no others."""
    rest = path[1:]
    if rest:
        _walk(node, rest, change)
    for key in [*node]:
        value = node[key]
        if isinstance(value, dict | list):
            _walk(value, path, change)
            if not rest and isinstance(value, list):
                items = [item if isinstance(item, dict | list) else change(item) for item in value]
                value[:] = [item for item in items if item is not _GONE]
        elif not rest:
            _set(node, key, change(value))


def _change_field(event: dict[str, Any], name: str, change: Callable[[Any], Any]) -> None:
    """Change a field of an event. One that is dropped is masked, since a track call needs a name, for example."""
    if name in event:
        value = change(event[name])
        event[name] = MASKED if value is _GONE else value


def _set(node: dict[str, Any], name: str, value: Any) -> None:
    if value is _GONE:
        del node[name]
    else:
        node[name] = value
