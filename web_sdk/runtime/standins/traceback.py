# Errors as text. This interpreter's code knows no lines, so there are functions and files alone.
import sys

DIRECT = "The above exception was the direct cause of the following exception"
DURING = "During handling of the above exception, another exception occurred"


class FrameSummary:
    def __init__(self, filename, lineno, name, **more):
        self.filename, self.lineno, self.name, self.line = filename, lineno, name, ""

    def __iter__(self):
        return iter((self.filename, self.lineno, self.name, self.line))


class StackSummary(list):
    @classmethod
    def extract(cls, frames, *, limit=None, lookup_lines=True, capture_locals=False):
        found = cls(FrameSummary(f.f_code.co_filename, line, f.f_code.co_name) for f, line in frames)
        return found if limit is None else cls(found[:limit] if limit >= 0 else found[limit:])

    def format(self, **more):
        return [f'  File "{one.filename}", in {one.name}\n' for one in self]


def walk_tb(tb):
    while tb is not None:
        yield tb.tb_frame, tb.tb_lineno
        tb = tb.tb_next


def walk_stack(frame):
    frame = frame or sys._getframe().f_back.f_back
    while frame is not None:
        yield frame, frame.f_lineno
        frame = frame.f_back


def extract_tb(tb, limit=None):
    return StackSummary.extract(walk_tb(tb), limit=limit)


def extract_stack(f=None, limit=None):
    found = StackSummary.extract(walk_stack(f), limit=limit)
    found.reverse()
    return found


def format_list(frames):
    return StackSummary(frames).format()


def format_tb(tb, limit=None):
    return extract_tb(tb, limit).format()


def format_stack(f=None, limit=None):
    return extract_stack(f, limit).format()


def format_exception_only(exc, value=None, **more):
    error = exc if isinstance(exc, BaseException) else value
    if error is None:
        return ["NoneType: None\n"]
    kind = type(error)
    inside = "" if kind.__module__ in ("builtins", "__main__") else f"{kind.__module__}."
    name = inside + kind.__qualname__
    try:
        text = str(error)
    except Exception:
        text = "<exception str() failed>"
    notes = [f"{note}\n" for note in getattr(error, "__notes__", None) or ()]
    return [f"{name}: {text}\n" if text else f"{name}\n", *notes]


def format_exception(exc, value=None, tb=None, limit=None, chain=True, *, _seen=(), **more):
    error = exc if isinstance(exc, BaseException) else value
    lines = []
    if error is not None and chain and id(error) not in _seen:
        cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        if cause is not None and len(_seen) < 20:
            lines += format_exception(cause, limit=limit, _seen=(*_seen, id(error)))
            direct = error.__cause__ is not None
            lines.append(f"\n{DIRECT if direct else DURING}:\n\n")
    trace = tb or getattr(error, "__traceback__", None)
    if trace is not None:
        lines.append("Traceback (most recent call last):\n")
        lines += format_tb(trace, limit)
    lines += format_exception_only(error)
    for one in getattr(error, "exceptions", None) or ():
        lines += [f"  | {line}" for line in format_exception(one, limit=limit, _seen=_seen)]
    return lines


def print_list(frames, file=None):
    print("".join(format_list(frames)), file=file or sys.stderr, end="")


def print_exception(exc, value=None, tb=None, limit=None, file=None, chain=True, **more):
    print("".join(format_exception(exc, value, tb, limit, chain)), file=file or sys.stderr, end="")


_print_exception_bltin = print_exception


def print_tb(tb, limit=None, file=None):
    print_list(extract_tb(tb, limit), file)


def print_stack(f=None, limit=None, file=None):
    print_list(extract_stack(f, limit), file)


def format_exc(limit=None, chain=True):
    return "".join(format_exception(sys.exception(), limit=limit, chain=chain))


def print_exc(limit=None, file=None, chain=True):
    print_exception(sys.exception(), limit=limit, file=file, chain=chain)


class TracebackException:
    def __init__(self, exc_type, exc_value, exc_traceback, *, limit=None, **more):
        self.lines, self.exc_type = format_exception(exc_value, tb=exc_traceback, limit=limit), exc_type
        self.stack = extract_tb(exc_traceback, limit)

    @classmethod
    def from_exception(cls, exc, **more):
        return cls(type(exc), exc, exc.__traceback__, **more)

    def format(self, **more):
        yield from self.lines

    def __str__(self):
        return self.lines[-1]
