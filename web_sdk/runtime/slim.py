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
            tree = Unannotated().visit(ast.parse(source))
            if name in DOCUMENTED:
                undocument(tree)
            code = compile(tree, inside, "exec", dont_inherit=True, optimize=0 if name in DOCUMENTED else 2)
            head = importlib.util.MAGIC_NUMBER + bytes(12)
            target.writestr(zipfile.ZipInfo(f"{inside}c"), head + marshal.dumps(bare(code)))  # noqa: F821 (bare.py's)
    if standins:
        raise ValueError(f"nothing imports {sorted(standins)} any more: remove them from standins")
    return packed.getvalue()


def imported() -> dict[str, str]:
    """Return the names of the modules that are imported, by the path of their source."""
    files = {getattr(module, "__file__", None) or "": name for name, module in sys.modules.items()}
    return {path: name for path, name in files.items() if path.startswith((STDLIB, SDK)) and path.endswith(".py")}


class Unannotated(ast.NodeTransformer):
    """Takes the annotations of functions away. Those of classes stay: dataclasses are made by them."""

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)


def undocument(tree: ast.AST) -> None:
    """Let docstrings say nothing."""
    for node in ast.walk(tree):
        match getattr(node, "body", None):
            case [ast.Expr(ast.Constant(str()) as text), *_]:
                text.value = " "


slim(standins)  # type: ignore[name-defined]  # noqa: F821 (the build's)
