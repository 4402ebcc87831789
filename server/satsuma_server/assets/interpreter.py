"""HTML that boots a plain Pyodide from the collector's files, for apps that run Python themselves."""

from __future__ import annotations

import json
from pathlib import Path

from satsuma_server.errors import AssetsError
from satsuma_server.settings import RUNTIME

MARK = "/*RUNTIME*/"
"""What stands before this build's facts in the loader."""

SCRIPT = """<script src="{folder}pyodide.js"></script>
<script>
async function startPyodide() {{
  const lockFileContents = {{ info: {info}, packages: {{}} }};
  const pyodide = await loadPyodide({{ indexURL: "{folder}", lockFileContents, checkAPIVersion: false }});
  return {{ pyodide, folder: "{folder}" }};
}}
</script>"""


def plain_pyodide(collector_url: str, runtime: Path = RUNTIME) -> str:
    """Return HTML whose ``startPyodide()`` boots an interpreter without our SDK in it.

    The promise that it returns has the interpreter (``pyodide``) and the folder of the files (``folder``).

    Args:
        collector_url: origin of the collector.
        runtime: folder of the browser's files.

    Raises:
        AssetsError: the runtime isn't built.
    """
    try:
        loader = (runtime / "loader.js").read_text()
    except OSError as error:
        raise AssetsError(f"the browser's files are not in {runtime}: run ./dev build") from error
    about = json.JSONDecoder().raw_decode(loader, loader.index(MARK) + len(MARK))[0]
    folder = f"{collector_url}/analytics.js/runtime/{about['folder']}"
    return SCRIPT.format(folder=folder, info=json.dumps(about["lockInfo"]))
