"""A module in two parts: the functions that pages call, and the rest, which is loaded where it is called after all.

Both parts number types, functions and globals as the whole module does, so no instruction of a function is touched. In
place of a function of the other part each has one that calls it through a table that the two share. The first part's
such functions call place 0 of that table before, which loads the second part (``js/start.js``).

Source: the WebAssembly core specification, chapter 5.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from .errors import BuildError
from .wasm import (
    CODE,
    ELEMENT,
    EXPORT,
    FUNCTION,
    IMPORT,
    TABLE,
    TYPE,
    changed,
    function_imports,
    read_unsigned,
    sections,
    sized,
    unsigned,
    vector,
)

PARTS, LINK = "parts", "link"
"""What the first part exports: the shared table, and a function that puts the first part's functions into it."""

LOCAL_GET, I32_CONST, I32_STORE8 = b"\x20", b"\x41", b"\x3a"
CALL_INDIRECT, TABLE_INIT, END = b"\x11", b"\xfc\x0c", b"\x0b"
FUNCREF, EXTERNREF = b"\x70", b"\x6f"
NOTHING = b"\x60\0\0"
"""The type of a function that takes and returns nothing."""


@dataclass(frozen=True)
class _Module:
    """What splitting must know of a module: its function types' parameters, and its functions.

    Attributes:
        content: the sections' contents by kind; those of custom sections are left out.
        parameters: how many each type takes.
        imported: how many functions are imported.
        types: the type of each function that the module has.
        bodies: the code of each.
        tables: the limits and types of the tables that it has.
        outer_tables: how many it imports.
    """

    content: dict[int, bytes]
    parameters: list[int]
    imported: int
    types: list[int]
    bodies: list[bytes]
    tables: list[bytes]
    outer_tables: int

    @classmethod
    def of(cls, module: bytes) -> _Module:
        content = {kind: inside for kind, inside in sections(module) if kind}
        functions, tables = function_imports(content[IMPORT])
        return cls(
            content=content,
            parameters=_parameters(content[TYPE]),
            imported=functions,
            types=_numbers(content[FUNCTION]),
            bodies=_sized_entries(content[CODE]),
            tables=_tables(content[TABLE]),
            outer_tables=tables,
        )


def functions(module: bytes) -> int:
    """Return how many functions a module has of its own."""
    return len(_numbers(next(inside for kind, inside in sections(module) if kind == FUNCTION)))


def split(module: bytes, kept: Collection[int]) -> tuple[bytes, bytes]:
    """Return the two parts of a module: the one with the functions in `kept`, and the one with the others.

    Args:
        module: has no data, and no function that is named by ``ref.func``, as none has that a C compiler made.
        kept: numbers of functions, imported ones not counted.

    Raises:
        BuildError: the module is built in a way that this doesn't know.
    """
    whole = _Module.of(module)
    kept = {*kept, _start_function(whole)}
    first = [number for number in range(len(whole.types)) if number in kept]
    rest = [number for number in range(len(whole.types)) if number not in kept]
    # Place 0 is the way to load the rest.
    places = {number: place for place, number in enumerate([*first, *rest], 1)}
    return _first(module, whole, first, places), _rest(module, whole, rest, places, 1 + len(first))


def recorded(module: bytes, address: int) -> bytes:
    """Return a module that sets one byte of memory for each function that has run, from `address` on."""
    mark = I32_CONST + _signed(1) + I32_STORE8 + b"\0"

    def marking(content: bytes) -> bytes:
        bodies = []
        for number, body in enumerate(_sized_entries(content)):
            start = _after_locals(body)
            noted = I32_CONST + _signed(0) + mark + unsigned(address + number)
            bodies.append(sized(body[:start] + noted + body[start:]))
        return vector(bodies)

    return changed(module, {CODE: marking})


def _first(module: bytes, whole: _Module, first: list[int], places: dict[int, int]) -> bytes:
    void = len(whole.parameters)  # A type of its own, behind the others.
    table = whole.outer_tables + len(whole.tables)
    load = I32_CONST + _signed(0) + CALL_INDIRECT + unsigned(void) + unsigned(table)
    kept = set(first)
    bodies = [
        body if number in kept else _forward(whole, number, table, places[number], load)
        for number, body in enumerate(whole.bodies)
    ]
    numbers = [unsigned(whole.imported + number) for number in first]
    segments, elements = read_unsigned(whole.content[ELEMENT], 0)
    fill = b"".join(I32_CONST + _signed(value) for value in (1, 0, len(first)))
    bodies.append(b"\0" + fill + TABLE_INIT + unsigned(segments) + unsigned(table) + END)
    shown = {PARTS: b"\1" + unsigned(table), LINK: b"\0" + unsigned(whole.imported + len(whole.types))}
    shown |= {f"{PARTS}{number}": b"\1" + unsigned(number) for number in range(whole.outer_tables, table)}
    exports = [sized(name.encode()) + about for name, about in shown.items()]
    return changed(
        module,
        {
            TYPE: lambda content: _appended(content, [NOTHING]),
            FUNCTION: lambda content: _appended(content, [unsigned(void)]),
            TABLE: lambda content: _appended(content, [FUNCREF + b"\0" + unsigned(1 + len(places))]),
            EXPORT: lambda content: _appended(content, exports),
            ELEMENT: lambda content: unsigned(segments + 1) + content[elements:] + b"\1\0" + vector(numbers),
            CODE: lambda _: vector([sized(body) for body in bodies]),
        },
    )


def _rest(module: bytes, whole: _Module, rest: list[int], places: dict[int, int], start: int) -> bytes:
    table = whole.outer_tables + len(whole.tables)
    own = {*rest, _start_function(whole)}
    bodies = [
        body if number in own else _forward(whole, number, table, places[number])
        for number, body in enumerate(whole.bodies)
    ]
    shared = [*whole.tables, FUNCREF + b"\0" + unsigned(1 + len(places))]
    names = [f"{PARTS}{number}" for number in range(whole.outer_tables, table)] + [PARTS]
    tables = [
        sized(b"python") + sized(name.encode()) + b"\1" + about for name, about in zip(names, shared, strict=True)
    ]
    numbers = vector([unsigned(whole.imported + number) for number in rest])
    segment = b"\2" + unsigned(table) + I32_CONST + _signed(start) + END + b"\0" + numbers
    return changed(
        module,
        {
            IMPORT: lambda content: _appended(content, tables),
            TABLE: lambda _: vector([]),
            EXPORT: lambda _: vector([]),
            ELEMENT: lambda _: vector([segment]),
            CODE: lambda _: vector([sized(body) for body in bodies]),
        },
    )


def _start_function(whole: _Module) -> int:
    """Return the number of the function that runs first, and that gives both parts' globals their values."""
    return read_unsigned(whole.content[8], 0)[0] - whole.imported


def _forward(whole: _Module, number: int, table: int, place: int, before: bytes = b"") -> bytes:
    """Return the code of a function that calls another one of its type in its place."""
    kind = whole.types[number]
    given = b"".join(LOCAL_GET + unsigned(one) for one in range(whole.parameters[kind]))
    call = I32_CONST + _signed(place) + CALL_INDIRECT + unsigned(kind) + unsigned(table)
    return b"\0" + before + given + call + END


def _appended(content: bytes, entries: list[bytes]) -> bytes:
    count, at = read_unsigned(content, 0)
    return unsigned(count + len(entries)) + content[at:] + b"".join(entries)


def _numbers(content: bytes) -> list[int]:
    count, at = read_unsigned(content, 0)
    numbers = []
    for _ in range(count):
        number, at = read_unsigned(content, at)
        numbers.append(number)
    return numbers


def _sized_entries(content: bytes) -> list[bytes]:
    count, at = read_unsigned(content, 0)
    entries = []
    for _ in range(count):
        size, at = read_unsigned(content, at)
        entries.append(content[at : at + size])
        at += size
    return entries


def _parameters(content: bytes) -> list[int]:
    count, at = read_unsigned(content, 0)
    parameters = []
    for _ in range(count):
        if content[at] != NOTHING[0]:
            raise BuildError(f"the module has a type of the kind {content[at]:#x}: mend {__name__}")
        taken, at = read_unsigned(content, at + 1)
        returned, at = read_unsigned(content, at + taken)
        at += returned
        parameters.append(taken)
    return parameters


def _tables(content: bytes) -> list[bytes]:
    count, at = read_unsigned(content, 0)
    tables = []
    for _ in range(count):
        end = read_unsigned(content, at + 2)[1]
        if content[at : at + 1] not in (FUNCREF, EXTERNREF) or content[at + 1]:
            raise BuildError(f"the module has a table that is not as Pyodide's: mend {__name__}")
        tables.append(content[at:end])
        at = end
    return tables


def _after_locals(body: bytes) -> int:
    groups, at = read_unsigned(body, 0)
    for _ in range(groups):
        at = read_unsigned(body, at)[1] + 1
    return at


def _signed(value: int) -> bytes:
    """Return a number as signed LEB128; `value` is not negative."""
    made = bytearray()
    while value > 63:
        made.append(value & 127 | 128)
        value >>= 7
    return bytes([*made, value])
