"""Events out of files: NDJSON, JSON arrays or objects one after the other, gzipped or not, in bounded memory.

What can't be read is counted with its reason, and reading goes on behind it.
"""

from __future__ import annotations

import codecs
import json
import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import chain, islice
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    import pyarrow as pa

PIECE_BYTES = 1 << 20
"""Bytes that are read at a time."""

BATCH_BYTES = 32 << 20
BATCH_EVENTS = 65_536
"""Events that are handed on at a time, and their bytes."""

OBJECTS_AT_ONCE = 2_048
"""Objects of a text of objects that make a chunk."""

LARGEST_EVENT = 1 << 20
"""Bytes of an event; collectors refuse much smaller ones, Segment's at 32 kB."""

MOST_WASTE = 4
"""Characters that are read in vain, where objects are broken, for each character of the text. Objects that begin within
each other and never end would have all that is behind them read again from each of them."""

STRIDE = 64 << 10
"""The fewest characters that are passed over where more would be wasted."""

DEEP_OBJECT = 128 << 10
"""Characters that count as read of an object that is nested too deeply; where the parser gave up, it doesn't tell."""

GZIP_MAGIC = b"\x1f\x8b"

OTHER_FORMATS = {
    rb"PK\x03\x04": "a zip archive: unpack it first",
    rb"\x28\xb5\x2f\xfd": "compressed with zstd: unpack it first",
    rb"BZh[1-9]1AY&SY": "compressed with bzip2: unpack it first",
    rb"\xfd7zXZ\0": "compressed with xz: unpack it first",
    rb"PAR1\x15": "a Parquet file: write its events as NDJSON first",
    rb"SQLite format 3\0": "an SQLite file: name the collector whose log it is by --url",
}
"""What files of other formats begin with, as patterns, and what to tell of them. They are not read."""

TOO_LARGE = "longer than 1 MB"
_NEXT = re.compile(r"[\n,]\s*\{")
"""Where an object may begin, behind one that is broken."""

NOT_JSON = "no JSON object"
NOT_UTF8 = "no UTF-8"
BROKEN_GZIP = "the gzip stream is broken or cut off"
UNREADABLE = "the file can't be read to its end"


class Lines:
    """The events of a stream, each as one JSON text.

    Attributes:
        unreadable: how many were not readable, by reason.
    """

    def __init__(self, stream: BinaryIO, progress: Callable[[int], None] = lambda count: None) -> None:
        """Take a stream; `progress` is told how many of its bytes were read."""
        self._stream = stream
        self._progress = progress
        self.unreadable: Counter[str] = Counter()

    def batches(self) -> Iterator[list[bytes]]:
        """Yield events, many at a time; whether they are JSON is not looked at where each is on a line."""
        for column in self.columns():
            yield column.cast("binary").to_pylist()

    def columns(self) -> Iterator[pa.ChunkedArray]:
        """Yield events, many at a time, as a column of texts in chunks, as `batches` does."""
        import pyarrow as pa

        chunks: list[pa.Array] = []
        events = size = 0
        for chunk in self._chunks():
            chunks.append(chunk)
            events += len(chunk)
            size += chunk.nbytes
            if size >= BATCH_BYTES or events >= BATCH_EVENTS:
                yield pa.chunked_array(chunks)
                chunks, events, size = [], 0, 0
        if chunks:
            yield pa.chunked_array(chunks)

    def _chunks(self) -> Iterator[pa.Array]:
        """Yield what is not empty, as columns of the texts that one piece of the stream holds."""
        pieces = self._pieces()
        start = b""
        for piece in pieces:
            start += piece
            if start.lstrip() or len(start) > LARGEST_EVENT:
                break
        start = start.removeprefix(codecs.BOM_UTF8)
        if _is_one_a_line(start):
            made = self._split(start, pieces)
        else:
            objects = self._objects(start, pieces)
            made = (_column(some) for some in iter(lambda: [*islice(objects, OBJECTS_AT_ONCE)], []))
        for chunk in made:
            texts, broken = as_texts(_without_blanks(chunk))
            if broken:
                self.unreadable[NOT_UTF8] += broken
            if len(texts):
                yield texts

    def _split(self, rest: bytes, pieces: Iterator[bytes]) -> Iterator[pa.Array]:
        """Yield columns of lines; one that is too long is skipped to its end without being kept."""
        import pyarrow.compute as pc

        skipping = False
        for piece in chain((b"",), pieces):
            whole, newline, rest = (rest + piece).rpartition(b"\n")
            if newline:
                if skipping:
                    _, _, whole = whole.partition(b"\n")
                    skipping = False
                lines = pc.split_pattern(_column([whole]), pattern=b"\n").flatten()
                fitting = pc.less_equal(pc.binary_length(lines), LARGEST_EVENT)
                if too_long := len(lines) - pc.sum(fitting).as_py():
                    self.unreadable[TOO_LARGE] += too_long
                    lines = lines.filter(fitting)
                yield lines
            if skipping:
                rest = b""
            elif len(rest) > LARGEST_EVENT:
                self.unreadable[TOO_LARGE] += 1
                skipping, rest = True, b""
        if rest and not skipping:
            yield _column([rest])

    def _objects(self, start: bytes, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """Yield the objects of an array, or of a text of objects, whatever stands between them."""
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        scanner = json.JSONDecoder(parse_constant=lambda name: None)
        text, place = decoder.decode(start), 0
        ended = False
        room = MOST_WASTE * (len(text) + LARGEST_EVENT)
        while True:
            place = text.find("{", place)
            if place < 0:
                text, place = "", 0
            else:
                try:
                    found, end = scanner.raw_decode(text, place)
                except (ValueError, RecursionError) as error:
                    room -= _read_in_vain(error, text, place)
                else:
                    yield json.dumps(found).encode()
                    place = end
                    continue
                if ended or len(text) - place > LARGEST_EVENT:
                    # Broken, or too large: go on with the next that looks like the beginning of an object on a line.
                    self.unreadable[NOT_JSON] += 1
                    if room <= 0:
                        # As much is passed over as makes up for what was read in vain.
                        place, room = place + STRIDE - room // MOST_WASTE, 0
                    place = _next_line(text, place)
                    continue
            if ended:
                return
            piece = next(pieces, None)
            ended = piece is None
            more = decoder.decode(piece or b"", final=ended)
            room += MOST_WASTE * len(more)
            text, place = text[place:] + more, 0

    def _pieces(self) -> Iterator[bytes]:
        first = self._read()
        for beginning, problem in OTHER_FORMATS.items():
            if re.match(beginning, first):
                self.unreadable[problem] += 1
                return
        if not first.startswith(GZIP_MAGIC):
            while first:
                yield first
                first = self._read()
            return
        yield from self._unzipped(first)

    def _unzipped(self, data: bytes) -> Iterator[bytes]:
        """Yield what several gzip members, one behind the other, hold; never much more at a time than a piece."""
        inflate = zlib.decompressobj(wbits=31)
        try:
            while data:
                out = inflate.decompress(data, PIECE_BYTES)
                if out:
                    yield out
                if inflate.eof:
                    data = inflate.unused_data.lstrip(b"\0") or self._read()
                    inflate = zlib.decompressobj(wbits=31)
                else:
                    data = inflate.unconsumed_tail or self._read()
                    if not data:
                        self.unreadable[BROKEN_GZIP] += 1
        except zlib.error:
            self.unreadable[BROKEN_GZIP] += 1

    def _read(self) -> bytes:
        try:
            data = self._stream.read(PIECE_BYTES)
        except OSError:
            self.unreadable[UNREADABLE] += 1
            return b""
        self._progress(len(data))
        return data


def as_texts(lines: pa.Array) -> tuple[pa.Array, int]:
    """Return a column of bytes as one of texts, and how many were left out since they are no UTF-8."""
    import pyarrow as pa

    try:
        return lines.cast(pa.string()), 0
    except pa.ArrowInvalid:
        good = [line for line in lines.to_pylist() if _is_utf8(line)]
        return _column(good).cast(pa.string()), len(lines) - len(good)


def _column(lines: list[bytes]) -> pa.Array:
    # Imported where it is needed, as DuckDB is: it takes tens of megabytes.
    import pyarrow as pa

    return pa.array(lines, pa.binary())


def _without_blanks(lines: pa.Array) -> pa.Array:
    import pyarrow.compute as pc

    filled = pc.match_substring_regex(lines, r"\S")
    return lines if pc.all(filled).as_py() else lines.filter(filled)


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _is_one_a_line(start: bytes) -> bool:
    """Tell whether a file's beginning looks like NDJSON: the first line with anything on it is not an array's, nor
    the beginning of an object that goes on."""
    text = start.lstrip()
    if text[:1] == b"[":
        return False
    line, newline, _ = text.partition(b"\n")
    return not newline or line.rstrip() != b"{"


def _read_in_vain(error: Exception, text: str, place: int) -> int:
    """Return how many characters were read of an object that begins at `place` and is broken."""
    end = getattr(error, "pos", min(len(text), place + DEEP_OBJECT))
    return int(end) - place + 1


def _next_line(text: str, place: int) -> int:
    found = _NEXT.search(text, place + 1)
    return found.end() - 1 if found else len(text)
