"""Our own scripts without comments and long names: what a page downloads is the code, not its explanations."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from . import node


def minified(pyodide: Path, text: str, *, ecma: str = "2018", whole: bool = False) -> str:
    """Return a script that does the same in fewer bytes; names of properties stay.

    Args:
        pyodide: folder of Pyodide among npm's packages, beside which the minifier lies.
        text: the script.
        ecma: the newest edition of the language that the minifier may write, where the script itself has nothing newer.
        whole: no other script uses the names at this one's top level, so that they may be shortened, too.

    Raises:
        BuildError: the minifier is missing, or can't read the script.
    """
    terser = pyodide.parent / "terser" / "bin" / "terser"
    options = ["--ecma", ecma, "--compress", "passes=3", "--mangle", *(["--toplevel"] if whole else [])]
    with TemporaryDirectory() as work:
        source, target = Path(work, "source.js"), Path(work, "target.js")
        source.write_text(text)
        node.run(["node", str(terser), str(source), *options, "--output", str(target)], pyodide)
        return target.read_text()
