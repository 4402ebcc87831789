# What asyncio and dataclasses ask of an object. A page has no sources to look into, and this interpreter no lines.
import builtins  # noqa: F401
import functools
import types
from collections.abc import Awaitable

CO_VARARGS, CO_VARKEYWORDS = 4, 8
CO_GENERATOR, CO_COROUTINE, CO_ITERABLE_COROUTINE, CO_ASYNC_GENERATOR = 32, 128, 256, 512
_MARK = object()


class _empty:  # noqa: N801 (inspect's name)
    pass


class Parameter:
    POSITIONAL_ONLY, POSITIONAL_OR_KEYWORD, VAR_POSITIONAL, KEYWORD_ONLY, VAR_KEYWORD = range(5)
    empty = _empty

    def __init__(self, name, kind, *, default=_empty, annotation=_empty):
        self.name, self.kind, self.default, self.annotation = name, kind, default, annotation


class Signature:
    empty = _empty

    def __init__(self, parameters=(), *, return_annotation=_empty):
        self.parameters = {one.name: one for one in parameters}
        self.return_annotation = return_annotation


def signature(value, **more):
    if not isfunction(value):
        raise ValueError("Satsuma's interpreter knows the signatures of plain functions only")
    code, notes = value.__code__, value.__annotations__
    names = list(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])
    positional, keyword = names[: code.co_argcount], names[code.co_argcount :]
    defaults = value.__defaults__ or ()
    given = dict(
        zip(positional[len(positional) - len(defaults) :], defaults, strict=True), **(value.__kwdefaults__ or {})
    )
    rest = iter(code.co_varnames[len(names) :])
    kinds = [(one, int(at >= code.co_posonlyargcount)) for at, one in enumerate(positional)]
    kinds += [(next(rest), Parameter.VAR_POSITIONAL)] if code.co_flags & CO_VARARGS else []
    kinds += [(one, Parameter.KEYWORD_ONLY) for one in keyword]
    kinds += [(next(rest), Parameter.VAR_KEYWORD)] if code.co_flags & CO_VARKEYWORDS else []
    made = [Parameter(n, kind, default=given.get(n, _empty), annotation=notes.get(n, _empty)) for n, kind in kinds]
    return Signature(made, return_annotation=notes.get("return", _empty))


def getattr_static(value, name, *default):
    return getattr(value, name, *default)


def isclass(value):
    return isinstance(value, type)


def isfunction(value):
    return isinstance(value, types.FunctionType)


def ismethod(value):
    return isinstance(value, types.MethodType)


def isbuiltin(value):
    return isinstance(value, types.BuiltinFunctionType)


def ismodule(value):
    return isinstance(value, types.ModuleType)


def isgenerator(value):
    return isinstance(value, types.GeneratorType)


def iscoroutine(value):
    return isinstance(value, types.CoroutineType)


def isasyncgen(value):
    return isinstance(value, types.AsyncGeneratorType)


def iscode(value):
    return isinstance(value, types.CodeType)


def isawaitable(value):
    if isinstance(value, types.CoroutineType | Awaitable):
        return True
    return isinstance(value, types.GeneratorType) and bool(value.gi_code.co_flags & CO_ITERABLE_COROUTINE)


def _has_flag(value, flag):
    while ismethod(value) or isinstance(value, functools.partial):
        value = value.__func__ if ismethod(value) else value.func
    return isfunction(value) and bool(value.__code__.co_flags & flag)


def isgeneratorfunction(value):
    return _has_flag(value, CO_GENERATOR)


def isasyncgenfunction(value):
    return _has_flag(value, CO_ASYNC_GENERATOR)


def iscoroutinefunction(value):
    return _has_flag(value, CO_COROUTINE) or getattr(value, "_is_coroutine_mark", None) is _MARK


def markcoroutinefunction(value):
    getattr(value, "__func__", value)._is_coroutine_mark = _MARK
    return value


def unwrap(value, *, stop=None):
    while hasattr(value, "__wrapped__") and not (stop and stop(value)):
        value = value.__wrapped__
    return value


def get_annotations(value, **more):
    return dict((value.__dict__ if isclass(value) else vars(value)).get("__annotations__") or {})


def getdoc(value):
    return value.__doc__


def getmro(cls):
    return cls.__mro__
