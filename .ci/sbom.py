"""Writes the software bill of materials (CycloneDX 1.6): every locked package, with version, hashes and purl.

`./dev sbom [FILE]`. What an installed collector needs, or has in its wheel, is `required`. What only builds, checks or
tests it is `excluded`.
"""

from __future__ import annotations

import base64
import json
import re
import sys
import uuid
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
REQUIREMENTS = ROOT / "requirements.lock"
BUNDLED = {
    "server/libraries": ("cytoscape", "htmx.org"),
    "web_sdk/runtime": ("pyodide",),
    "e2e/libraries": (),
}
"""Folders of npm lock files, each with the packages of which something is in a wheel."""

PRODUCT = "satsuma-server"
EXTRAS = ("nats", "postgres")

_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)((?:.*\\\n)(?:.+\n?)*?)(?=^\S|\Z)", re.MULTILINE)
Component = dict[str, Any]


def document() -> dict[str, Any]:
    """Return the bill. The same locks give the same one."""
    components = sorted([*python_packages(), *npm_packages()], key=lambda one: one["bom-ref"])
    product = {"type": "application", "name": PRODUCT, "version": metadata.version(PRODUCT), "bom-ref": PRODUCT}
    serial = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(components))
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "metadata": {"component": product},
        "components": components,
    }


def python_packages(lock: Path = REQUIREMENTS) -> Iterator[Component]:
    """Yield the packages of requirements.lock."""
    needed = closure(PRODUCT, EXTRAS)
    for name, version, rest in _PINNED.findall(lock.read_text()):
        yield {
            "type": "library",
            "bom-ref": f"pkg:pypi/{plain(name)}@{version}",
            "name": name,
            "version": version,
            "scope": "required" if plain(name) in needed else "excluded",
            "purl": f"pkg:pypi/{plain(name)}@{version}",
            "hashes": [{"alg": "SHA-256", "content": one} for one in re.findall(r"sha256:([0-9a-f]{64})", rest)],
        }


def npm_packages() -> Iterator[Component]:
    """Yield the packages of npm's lock files; one that several have is there once."""
    seen: dict[str, Component] = {}
    for folder, bundled in BUNDLED.items():
        packages = json.loads((ROOT / folder / "package-lock.json").read_text())["packages"]
        for path, told in packages.items():
            name = path.rpartition("node_modules/")[2]
            if not name:
                continue
            purl = f"pkg:npm/{name.replace('@', '%40')}@{told['version']}"
            one = seen.setdefault(purl, _npm_component(name, purl, told))
            if name in bundled:
                one["scope"] = "required"
    yield from seen.values()


def _npm_component(name: str, purl: str, told: dict[str, Any]) -> Component:
    made: Component = {
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": told["version"],
        "scope": "excluded",
        "purl": purl,
    }
    algorithm, _, digest = told.get("integrity", "").partition("-")
    if algorithm == "sha512":
        made["hashes"] = [{"alg": "SHA-512", "content": base64.b64decode(digest).hex()}]
    if told.get("license"):
        made["licenses"] = [{"expression": told["license"]}]
    return made


def closure(root: str, extras: tuple[str, ...]) -> set[str]:
    """Return the names of all packages that an installation of `root` with `extras` needs on this machine."""
    found: set[str] = set()
    waiting = [(root, extras)]
    while waiting:
        name, wanted = waiting.pop()
        if f"{plain(name)}[{','.join(sorted(wanted))}]" in found:
            continue
        found |= {plain(name), f"{plain(name)}[{','.join(sorted(wanted))}]"}
        try:
            needs = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue
        for need in needs:
            requirement, _, marker = need.partition(";")
            if _applies(marker, wanted) and (match := re.match(r"\s*([A-Za-z0-9._-]+)(?:\[([^\]]*)\])?", requirement)):
                waiting.append((match[1], tuple(part.strip() for part in (match[2] or "").split(",") if part.strip())))
    return {name for name in found if "[" not in name}


def _applies(marker: str, extras: tuple[str, ...]) -> bool:
    if not marker.strip():
        return True
    from packaging.markers import Marker

    return any(Marker(marker).evaluate({"extra": extra}) for extra in (*extras, ""))


def plain(name: str) -> str:
    """Return a package's name as PyPI spells it. Source: PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()


def main(target: Path) -> None:
    """Write the bill into a file."""
    target.parent.mkdir(parents=True, exist_ok=True)
    made = document()
    target.write_text(json.dumps(made, indent=2) + "\n")
    required = sum(one["scope"] == "required" for one in made["components"])
    print(
        f"{target}: {len(made['components'])} packages, {required} of them in an installed collector", file=sys.stderr
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "dist" / "satsuma.cdx.json")
