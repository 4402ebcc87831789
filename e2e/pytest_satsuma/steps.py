"""Recipes: what a visitor does is written once, and runs over both the synchronous and the asynchronous Playwright API.

A recipe is a generator that yields the return values of Playwright's methods and is sent the results. With the
synchronous API the return value is the result; with the asynchronous API it is awaited. `sync` and `awaited` turn a
recipe into a method for either API.
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
"""A recipe whose result is a T."""


def run[T](steps: Steps[T]) -> T:
    """Run a recipe over the synchronous API."""
    try:
        made = next(steps)
        while True:
            made = steps.send(made)
    except StopIteration as end:
        result: T = end.value
        return result


async def run_async[T](steps: Steps[T]) -> T:
    """Run a recipe over the asynchronous API."""
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
    """Return a method that runs a recipe over the synchronous API."""

    @functools.wraps(recipe)
    def follow(*args: P.args, **kwargs: P.kwargs) -> T:
        return run(recipe(*args, **kwargs))

    return follow


def awaited[**P, T](recipe: Callable[P, Steps[T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    """Return a coroutine method that runs a recipe over the asynchronous API."""

    @functools.wraps(recipe)
    async def follow(*args: P.args, **kwargs: P.kwargs) -> T:
        return await run_async(recipe(*args, **kwargs))

    return follow
