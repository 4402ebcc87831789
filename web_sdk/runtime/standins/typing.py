# Annotations say nothing at run time: names are there to be written, subscripted and combined, and mean nothing.
import collections.abc as abc
import re as _re
from _typing import ParamSpec, ParamSpecArgs, ParamSpecKwargs, TypeAliasType, TypeVar, TypeVarTuple  # noqa: F401
from collections import ChainMap, Counter, OrderedDict, defaultdict, deque, namedtuple  # noqa: F401

TYPE_CHECKING = False


class _Form:
    def __getitem__(self, given):
        return _GenericAlias(self, given)

    def __or__(self, other):
        return self

    __ror__ = __or__

    def __call__(self, *args, **kwargs):
        raise TypeError("a form of typing makes no objects")


class _GenericAlias(_Form):
    def __init__(self, origin, given):
        self.__origin__ = origin
        self.__args__ = given if isinstance(given, tuple) else (given,)


_UnionGenericAlias = _AnnotatedAlias = _LiteralGenericAlias = _GenericAlias


class _Plain:
    def __class_getitem__(cls, given):
        return cls


class Any:
    pass


class Generic(_Plain):
    pass


class Protocol(_Plain):
    pass


class NewType(_Form):
    def __init__(self, name, base):
        self.__name__, self.__supertype__ = name, base

    def __call__(self, value):
        return value


class _NamedTupleMeta(type):
    def __new__(meta, name, bases, names):
        if bases == ():
            return super().__new__(meta, name, bases, names)
        fields = names.get("__annotations__", {})
        defaults = [names[field] for field in fields if field in names]
        made = namedtuple(name, fields, defaults=defaults, module=names["__module__"])
        made.__annotations__ = fields
        for key, value in names.items():
            if key not in fields and key not in _TUPLE:
                setattr(made, key, value)
        return made


class _TypedDictMeta(type):
    def __new__(meta, name, bases, names, total=True):
        return super().__new__(meta, name, bases, names)

    __call__ = dict


class _Base:
    def __init__(self, base):
        self.base = base

    def __mro_entries__(self, bases):
        return (self.base,)

    def __call__(self, name, fields=(), **more):
        if self is TypedDict:
            return _TypedDictMeta(name, (dict,), {"__annotations__": dict(fields)})
        return namedtuple(name, [field for field, _ in fields])


_TUPLE = ("__module__", "__qualname__", "__annotations__", "__firstlineno__", "__static_attributes__", "__classcell__")
NamedTuple = _Base(_NamedTupleMeta("NamedTuple", (), {}))
TypedDict = _Base(_TypedDictMeta("TypedDict", (dict,), {}))

(
    Annotated, Callable, ClassVar, Concatenate, Final, ForwardRef, IO, BinaryIO, TextIO, Literal, LiteralString, Never,
    NoReturn, NotRequired, Optional, ReadOnly, Required, Self, Tuple, Type, TypeAlias, TypeGuard, TypeIs, Union, Unpack,
) = (_Form() for _ in range(25))  # fmt: skip
AnyStr = TypeVar("AnyStr", bytes, str)
Dict, DefaultDict, Deque, FrozenSet, List, Set, Text = dict, defaultdict, deque, frozenset, list, set, str
Pattern, Match, AbstractSet = _re.Pattern, _re.Match, abc.Set
globals().update({name: getattr(abc, name) for name in abc.__all__ if name not in ("Set", "Callable")})


def _same(value):
    return value


final = no_type_check = override = overload = runtime_checkable = _same


def cast(kind, value):
    return value


def _type_check(value, *rest):
    return value


def _make_union(left, right):
    return left


def _generic_class_getitem(cls, given):
    return cls


def _generic_init_subclass(cls, *args, **kwargs):
    pass


def get_args(kind):
    return getattr(kind, "__args__", ())


def get_origin(kind):
    return getattr(kind, "__origin__", None)


def get_type_hints(value, *rest, **more):
    return dict(getattr(value, "__annotations__", None) or {})


def assert_never(value):
    raise AssertionError(f"Expected code to be unreachable, but got: {value!r}")
