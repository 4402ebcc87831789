"""One description of what a visitor does, for both of Playwright's APIs.

A recipe is a generator that yields what Playwright's methods return and is handed the results: those of the
synchronous API are results already, those of the asynchronous one are awaited. So each rule is written once, and
`sync` and `awaited` make the two faces of it.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Coroutine, Generator
from operator import methodcaller
from typing import Any

from .errors import ExpectationError

__tracebackhide__ = methodcaller("errisinstance", ExpectationError)

type Steps[T] = Generator[Any, Any, T]
"""A recipe that comes to a T."""


def run[T](steps: Steps[T]) -> T:
    """Follow a recipe over the synchronous API."""
    try:
        made = next(steps)
        while True:
            made = steps.send(made)
    except StopIteration as end:
        result: T = end.value
        return result


async def run_async[T](steps: Steps[T]) -> T:
    """Follow a recipe over the asynchronous API."""
    try:
        made = next(steps)
        while True:
            try:
                result = await made if inspect.isawaitable(made) else made
            except Exception as error:
                made = steps.throw(error)
            else:
                made = steps.send(result)
    except StopIteration as end:
        final: T = end.value
        return final


def sync[**P, T](recipe: Callable[P, Steps[T]]) -> Callable[P, T]:
    """Return the method that follows a recipe over the synchronous API."""

    @functools.wraps(recipe)
    def follow(*args: P.args, **kwargs: P.kwargs) -> T:
        return run(recipe(*args, **kwargs))

    return follow


def awaited[**P, T](recipe: Callable[P, Steps[T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    """Return the coroutine method that follows a recipe over the asynchronous API."""

    @functools.wraps(recipe)
    async def follow(*args: P.args, **kwargs: P.kwargs) -> T:
        return await run_async(recipe(*args, **kwargs))

    return follow
