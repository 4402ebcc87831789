"""WebAssembly's binary format, as far as the build changes it: what a module exports, and that it brings no memory.

Source: the WebAssembly core specification, chapter 5.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator

from .errors import BuildError

HEADER = b"\0asm\x01\0\0\0"
TYPE, IMPORT, FUNCTION, TABLE, EXPORT, ELEMENT, CODE, DATA, DATA_COUNT = 1, 2, 3, 4, 7, 9, 10, 11, 12

CLEARS = re.compile(rb"(?<=\x41\0\x41)[\x80-\xff]{2}[\0-\x7f](?=\xfc\x0b\0\x0b)")
"""How many bytes a function sets to zero before it ends: as the start function does with what no segment fills."""


DOCSTRING = re.compile(rb"(?<=\0)[ -~\n\t]*\)\n--\n\n[^\0]*(?=\0)")
"""What CPython's Argument Clinic writes for a function of C: its signature, two dashes, and what it does."""


CONSTANT = re.compile(rb"(?=\x41([\x80-\xff]{0,3}[\0-\x7f]))")
"""What may be a constant in code: `i32.const`, and a number of up to 28 bits."""


def without_docstrings(module: bytes) -> bytes:
    """Return `module` with zeros where its data has the docstrings of functions of C.

    The linker puts a text that another one ends with into the latter's end. So the end of a docstring stays from where
    any constant may point to.
    """
    codes = (content for kind, content in sections(module) if kind == CODE)
    named = {read_unsigned(found[1], 0)[0] for code in codes for found in CONSTANT.finditer(code)}

    def blank(content: bytes) -> bytes:
        start = _segment_start(content)

        def kept(found: re.Match[bytes]) -> bytes:
            first, end = found.span()
            ends = (at for at in range(first + 1, end) if at - start in named)
            rest = next(ends, end)
            return bytes(rest - first) + content[rest:end]

        return DOCSTRING.sub(kept, content)

    return changed(module, {DATA: blank})


def _segment_start(content: bytes) -> int:
    """Return where the bytes of the only segment of memory begin that the data section has."""
    count, at = read_unsigned(content, 0)
    if count != 1 or content[at] != 0:
        raise BuildError(f"Pyodide's data are {count} segments in place of one: mend {__name__}")
    at = content.index(b"\x0b", at) + 1
    return read_unsigned(content, at)[1]


def keep_exports(module: bytes, names: Collection[str]) -> bytes:
    """Return `module` with those of its exports that are in `names`."""

    def kept(content: bytes) -> bytes:
        entries = [entry for name, entry in _exports(content) if name in names]
        return vector(entries)

    return changed(module, {EXPORT: kept})


def export_names(module: bytes) -> list[str]:
    """Return what `module` exports."""
    return [name for kind, content in sections(module) if kind == EXPORT for name, _ in _exports(content)]


def import_names(module: bytes) -> set[str]:
    """Return what `module` imports, without the names of the modules that it is imported from."""
    return {name for kind, content in sections(module) if kind == IMPORT for name in _imports(content)}


def function_imports(content: bytes) -> tuple[int, int]:
    """Return how many functions and how many tables an import section has."""
    count, at = read_unsigned(content, 0)
    kinds = []
    for _ in range(count):
        _, at = _name(content, at)
        _, at = _name(content, at)
        kinds.append(content[at])
        at = _after_type(content, at)
    return kinds.count(0), kinds.count(1)


def without_data(module: bytes) -> bytes:
    """Return `module` as one that leaves memory as it finds it.

    Raises:
        BuildError: its start function is another one than Pyodide's.
    """

    def leaves_it(content: bytes) -> bytes:
        content, found = CLEARS.subn(b"\x80\x80\0", content)
        if found != 1:
            raise BuildError(f"{found} functions clear memory as Pyodide's start function does: mend {__name__}")
        return content

    return changed(module, {CODE: leaves_it, DATA: lambda _: vector([]), DATA_COUNT: lambda _: unsigned(0)})


def changed(module: bytes, changes: dict[int, Callable[[bytes], bytes]]) -> bytes:
    parts = [HEADER]
    for kind, content in sections(module):
        change = changes.get(kind)
        parts.append(bytes([kind]) + sized(change(content) if change else content))
    return b"".join(parts)


def sections(module: bytes) -> Iterator[tuple[int, bytes]]:
    if module[: len(HEADER)] != HEADER:
        raise BuildError("this is no WebAssembly module: fetch Pyodide anew (remove .cache/runtime)")
    at = len(HEADER)
    while at < len(module):
        kind = module[at]
        size, start = read_unsigned(module, at + 1)
        yield kind, module[start : start + size]
        at = start + size


def _exports(content: bytes) -> Iterator[tuple[str, bytes]]:
    count, at = read_unsigned(content, 0)
    for _ in range(count):
        start = at
        name, at = _name(content, at)
        _, at = read_unsigned(content, at + 1)
        yield name, content[start:at]


def _imports(content: bytes) -> Iterator[str]:
    count, at = read_unsigned(content, 0)
    for _ in range(count):
        _, at = _name(content, at)
        name, at = _name(content, at)
        yield name
        at = _after_type(content, at)


def _after_type(content: bytes, at: int) -> int:
    """Return where an import's type ends."""
    kind = content[at]
    if kind == 0:  # a function
        return read_unsigned(content, at + 1)[1]
    if kind == 3:  # a global
        return at + 3
    if kind == 4:  # a tag
        return read_unsigned(content, at + 2)[1]
    at += 2 if kind == 1 else 1  # a table has the type of its elements first; then, as a memory, its limits
    limits = content[at]
    _, at = read_unsigned(content, at + 1)
    return read_unsigned(content, at)[1] if limits & 1 else at


def _name(content: bytes, at: int) -> tuple[str, int]:
    size, start = read_unsigned(content, at)
    return content[start : start + size].decode(), start + size


def read_unsigned(content: bytes, at: int) -> tuple[int, int]:
    """Return an unsigned LEB128 number and where it ends."""
    value = shift = 0
    while True:
        byte = content[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def unsigned(value: int) -> bytes:
    made = bytearray()
    while value > 127:
        made.append(value & 127 | 128)
        value >>= 7
    return bytes([*made, value])


def sized(content: bytes) -> bytes:
    return unsigned(len(content)) + content


def vector(entries: list[bytes]) -> bytes:
    return unsigned(len(entries)) + b"".join(entries)
