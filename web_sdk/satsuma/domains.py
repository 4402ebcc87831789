"""On which domains a cookie may be set."""

from __future__ import annotations


def cookie_domains(hostname: str) -> list[str]:
    """Return the domains to try for `hostname`, highest first; none for localhost and IP addresses."""
    parts = hostname.split(".")
    is_address = len(parts) == 4 and parts[-1].isdigit() and int(parts[-1]) > 0
    if len(parts) <= 1 or is_address or ":" in hostname:
        return []
    return [".".join(parts[start:]) for start in range(len(parts) - 2, -1, -1)]
