"""Write docs/browsers.md from the figures."""

from matrix.document import DOCUMENT, render
from matrix.figures import read

DOCUMENT.write_text(render(read()))
