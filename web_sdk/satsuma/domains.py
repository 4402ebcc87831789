"""Lists the domains on which a cookie may be set, and the domains and paths where others of its name may be."""

from __future__ import annotations

from collections.abc import Iterator

MOST_DOMAINS = 5
MOST_FOLDERS = 8
LONGEST_PATH = 1024
"""Bounds of the search, in which each domain and path costs a write."""


def cookie_domains(hostname: str) -> list[str]:
    """Return the domains to try for `hostname`, highest first; none for localhost and IP addresses."""
    parts = hostname.split(".")
    is_address = len(parts) == 4 and parts[-1].isdigit() and int(parts[-1]) > 0
    if len(parts) <= 1 or is_address or ":" in hostname:
        return []
    return [".".join(parts[start:]) for start in range(len(parts) - 2, -1, -1)]


def stray_places(hostname: str, path: str, domain: str | None, own_path: str) -> Iterator[tuple[str | None, str]]:
    """Yield each domain (None for host-only) and path where a cookie that a page sees may be, except for the right one.

    A browser has one cookie for each name, domain and path. It shows a page all that match its address, but not where
    they belong. So to remove one, all places have to be tried.

    Args:
        hostname, path: the page's address.
        domain: the right domain; None for host-only.
        own_path: the right path.
    """
    named = cookie_domains(hostname)
    domains = (None, *named[:MOST_DOMAINS], *named[MOST_DOMAINS:][-1:])
    own = domain and domain.removeprefix(".")
    for cookie_path in cookie_paths(path):
        yield from ((one, cookie_path) for one in domains if (one, cookie_path) != (own, own_path))


def cookie_paths(path: str) -> list[str]:
    """Return the paths whose cookies a page at `path` can see, the shortest first. Of a deep path only the first are
    tried."""
    paths = ["/"]
    for part in path[:LONGEST_PATH].split("/")[1 : MOST_FOLDERS + 1]:
        above = paths[-1]
        paths += [f"{above}{part}", f"{above}{part}/"] if part else [f"{above}/"]
    return [one for one in dict.fromkeys(paths) if path.startswith(one) and ";" not in one]
