"""On which domains a cookie may be set, and where one of the same name may be beside it."""

from __future__ import annotations

from collections.abc import Iterator

MOST_DOMAINS = 5
MOST_FOLDERS = 8
LONGEST_PATH = 1024
"""Bounds of a search: each place costs the page a write."""


def cookie_domains(hostname: str) -> list[str]:
    """Return the domains to try for `hostname`, highest first; none for localhost and IP addresses."""
    parts = hostname.split(".")
    is_address = len(parts) == 4 and parts[-1].isdigit() and int(parts[-1]) > 0
    if len(parts) <= 1 or is_address or ":" in hostname:
        return []
    return [".".join(parts[start:]) for start in range(len(parts) - 2, -1, -1)]


def stray_places(hostname: str, path: str, domain: str | None, own_path: str) -> Iterator[tuple[str | None, str]]:
    """Yield where a cookie that a page sees can be but for its right place: a domain (None: host only) and a path.

    A browser has one cookie for each name, domain and path, shows a page all that match its address, and tells of none
    where it belongs. So whoever has to be rid of one has to try all places.

    Args:
        hostname, path: the page's address.
        domain: the domain of the right place, None for the host alone.
        own_path: the path of the right place.
    """
    named = cookie_domains(hostname)
    domains = (None, *named[:MOST_DOMAINS], *named[MOST_DOMAINS:][-1:])
    own = domain and domain.removeprefix(".")
    for cookie_path in cookie_paths(path):
        yield from ((one, cookie_path) for one in domains if (one, cookie_path) != (own, own_path))


def cookie_paths(path: str) -> list[str]:
    """Return the paths whose cookies a page at `path` sees, the shortest first; of a deep one those at the top."""
    paths = ["/"]
    for part in path[:LONGEST_PATH].split("/")[1 : MOST_FOLDERS + 1]:
        above = paths[-1]
        paths += [f"{above}{part}", f"{above}{part}/"] if part else [f"{above}/"]
    return [one for one in dict.fromkeys(paths) if path.startswith(one) and ";" not in one]
