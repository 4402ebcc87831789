"""Analytics calls as they are written for each library: how a finding is mended, for those who have to write it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Call:
    """One call, or one remark.

    Attributes:
        method: ``identify``, ``track``, ``reset``, …, or ``#`` for a remark, which is the only argument then.
        args: its arguments: the userId or the name first, then traits or properties.
    """

    method: str
    args: tuple[Any, ...] = field(default=())


def call(method: str, *args: Any) -> Call:
    """Return a call."""
    return Call(method, args)


def remark(text: str) -> Call:
    """Return a comment between calls."""
    return Call("#", (text,))


USER = "97980cfea0067"
"""The userId of examples: one of a database, as the best practices have it."""

BROWSER, NODE, PYTHON, RUBY, PHP, SWIFT, KOTLIN = (
    "JavaScript in the page",
    "Node.js",
    "Python",
    "Ruby",
    "PHP",
    "Swift",
    "Kotlin",
)

_LANGUAGES = (
    (r"node", NODE),
    (r"python", PYTHON),
    (r"ruby", RUBY),
    (r"php", PHP),
    (r"ios|swift|apple", SWIFT),
    (r"android|kotlin", KOTLIN),
)


def language_of(library: str) -> str:
    """Return the language that a library, by the name that it gives in events, is called in."""
    return next((found for pattern, found in _LANGUAGES if re.search(pattern, library.lower())), BROWSER)


def code_of(calls: Sequence[Call], language: str) -> str:
    """Return calls in a language, one a line."""
    write = _WRITERS[language]
    return "\n".join(write(one) for one in calls)


def _javascript(one: Call) -> str:
    if one.method == "#":
        return f"// {one.args[0]}"
    return f"analytics.{one.method}({', '.join(_object(arg) for arg in one.args)});"


def _node(one: Call) -> str:
    if one.method == "#":
        return f"// {one.args[0]}"
    return f"analytics.{one.method}({_object(_as_fields(one))});"


def _python(one: Call) -> str:
    if one.method == "#":
        return f"# {one.args[0]}"
    fields = _as_fields(one)
    listed = ", ".join(f"{_snake(name)}={value!r}" for name, value in fields.items())
    return f"analytics.{one.method}({listed})".replace("'", '"')


def _ruby(one: Call) -> str:
    if one.method == "#":
        return f"# {one.args[0]}"
    listed = ", ".join(f"{_snake(name)}: {_object(value)}" for name, value in _as_fields(one).items())
    return f"Analytics.{one.method}({listed})"


def _php(one: Call) -> str:
    if one.method == "#":
        return f"// {one.args[0]}"
    return f"Segment::{one.method}({_array(_as_fields(one), '=>')});"


def _swift(one: Call) -> str:
    if one.method == "#":
        return f"// {one.args[0]}"
    return f"analytics.{one.method}({', '.join(_labelled(one, ': ', lambda value: _array(value, ':')))})"


def _kotlin(one: Call) -> str:
    if one.method == "#":
        return f"// {one.args[0]}"
    return f"analytics.{one.method}({', '.join(_labelled(one, ' = ', _json_object))})"


_WRITERS: dict[str, Callable[[Call], str]] = {
    BROWSER: _javascript,
    NODE: _node,
    PYTHON: _python,
    RUBY: _ruby,
    PHP: _php,
    SWIFT: _swift,
    KOTLIN: _kotlin,
}

_NAMES = {"identify": ("userId", "traits"), "track": ("event", "properties"), "page": ("name", "properties")}


def _as_fields(one: Call) -> dict[str, Any]:
    """Return arguments as libraries on servers take them: named, and with the userId, since nothing remembers it."""
    names = _NAMES.get(one.method, ("userId", "traits"))
    fields = {name: arg for name, arg in zip(names, one.args, strict=False) if arg is not None}
    return fields if "userId" in fields else {"userId": USER, **fields}


def _labelled(one: Call, mark: str, dictionary: Callable[[Any], str]) -> list[str]:
    names = {"identify": ("userId", "traits"), "track": ("name", "properties")}.get(one.method, ("title", "properties"))
    return [
        f"{name}{mark}{dictionary(arg) if isinstance(arg, dict) else json.dumps(arg)}"
        for name, arg in zip(names, one.args, strict=False)
        if arg is not None
    ]


def _object(value: Any) -> str:
    if not isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    return f"{{ {', '.join(f'{name}: {_object(one)}' for name, one in value.items())} }}"


def _array(value: Any, mark: str) -> str:
    if not isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    space = "" if mark == ":" else " "
    return f"[{', '.join(f'{json.dumps(name)}{space}{mark} {_array(one, mark)}' for name, one in value.items())}]"


def _json_object(value: dict[str, Any]) -> str:
    listed = "; ".join(f"put({json.dumps(name)}, {json.dumps(one)})" for name, one in value.items())
    return f"buildJsonObject {{ {listed} }}"


def _snake(name: str) -> str:
    return re.sub(r"([A-Z])", lambda match: f"_{match[1].lower()}", name)
