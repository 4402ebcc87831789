"""Runs in Pyodide, for the build: the modules that are imported by now, as byte code without docstrings and lines.

The build gives it `standins`: sources, by path, of modules that are imported but that no page can use (sockets, child
processes, archives, …). They hold what is asked of them at import, and take a third of the interpreter's modules away.
"""

import ast
import importlib.util
import io
import marshal
import sys
import zipfile
from pathlib import Path
from types import CodeType

STDLIB, SDK = "/lib/python313.zip/", "/lib/satsuma/"
DOCUMENTED = {"_pyodide._core_docs"}
"""Modules that do something with their docstrings when Python starts: they have some, with nothing in them."""

ABSENT = """
def __getattr__(name):
    raise AttributeError(f"{__name__}.{name}: Satsuma's interpreter comes without {__name__}, which no page can use")
"""


def slim(standins: dict[str, str]) -> bytes:
    """Return a zip file of the modules."""
    packed = io.BytesIO()
    with zipfile.ZipFile(STDLIB[:-1]) as stdlib, zipfile.ZipFile(packed, "w") as target:
        for path, name in sorted(imported().items()):
            root = STDLIB if path.startswith(STDLIB) else SDK
            inside = path[len(root) :]
            source: bytes | str = stdlib.read(inside) if root == STDLIB else Path(path).read_bytes()
            if inside in standins:
                source = standins.pop(inside) + ABSENT
            if name in DOCUMENTED:
                source = undocumented(source)
            code = compile(source, inside, "exec", dont_inherit=True, optimize=0 if name in DOCUMENTED else 2)
            head = importlib.util.MAGIC_NUMBER + bytes(12)
            target.writestr(zipfile.ZipInfo(f"{inside}c"), head + marshal.dumps(bare(code)))
    if standins:
        raise ValueError(f"nothing imports {sorted(standins)} any more: remove them from standins")
    return packed.getvalue()


def imported() -> dict[str, str]:
    """Return the names of the modules that are imported, by the path of their source."""
    files = {getattr(module, "__file__", None) or "": name for name, module in sys.modules.items()}
    return {path: name for path, name in files.items() if path.startswith((STDLIB, SDK)) and path.endswith(".py")}


def undocumented(source: bytes | str) -> str:
    """Return source whose docstrings say nothing."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        match getattr(node, "body", None):
            case [ast.Expr(ast.Constant(str()) as text), *_]:
                text.value = " "
    return ast.unparse(tree)


def bare(code: CodeType) -> CodeType:
    """Return code that knows neither its lines nor the classes around it: a fourth of it, and no page shows them."""
    constants = tuple(bare(one) if isinstance(one, CodeType) else one for one in code.co_consts)
    return code.replace(co_consts=constants, co_linetable=b"", co_qualname=code.co_name)


slim(standins)  # type: ignore[name-defined]  # noqa: F821 (the build's)
