"""Write docs/clients.md from what the tests came to."""

from clients.document import DOCUMENT, render
from clients.outcomes import read

DOCUMENT.write_text(render(read()))
