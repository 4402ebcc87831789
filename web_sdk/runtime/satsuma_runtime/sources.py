"""What the runtime is built of, and the key that tells whether it must be built again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import satsuma

from . import __file__ as _here


@dataclass(frozen=True, slots=True)
class Sources:
    """The folders of a checkout.

    Attributes:
        sdk: the package `satsuma`.
        js: snippet and loader.
        runtime: this build's own folder, with Pyodide's lock file.
    """

    sdk: Path
    js: Path
    runtime: Path

    @classmethod
    def of_checkout(cls) -> Sources:
        """Return the folders of the checkout that this package is installed from."""
        sdk = Path(satsuma.__file__).parent
        return cls(sdk=sdk, js=sdk.parent / "js", runtime=Path(_here).parent.parent)

    def modules(self) -> list[Path]:
        """Return the modules that go into the page: all but the server's platform."""
        found = (path for path in self.sdk.rglob("*.py") if "server" not in path.relative_to(self.sdk).parts)
        return sorted(found)

    def key(self, *extra: str) -> str:
        """Return a key that changes with anything that the build depends on."""
        digest = hashlib.sha256()
        for path in self._inputs():
            digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
        digest.update("\0".join(extra).encode())
        return digest.hexdigest()[:20]

    def _inputs(self) -> Iterator[Path]:
        yield from self.modules()
        yield from sorted(self.js.rglob("*.js"))
        yield from sorted((self.runtime / "satsuma_runtime").glob("*.py"))
        yield self.runtime / "package-lock.json"
        names = ("snapshot.mjs", "bare.py", "slim.py", "settle.py", "tables.py", "called.txt")
        yield from (self.runtime / name for name in names)
        yield from sorted((self.runtime / "standins").rglob("*.py"))
