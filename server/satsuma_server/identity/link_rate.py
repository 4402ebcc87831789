"""Limits how many identifiers from one address may join a person within an hour, so that strangers can't use up
places."""

from __future__ import annotations

import ipaddress
from collections import Counter

MOST_COUNTED = 100_000
"""The most pairs of a person and an address that are counted in an hour. Beyond that, counting begins again."""

IPV6_PREFIX = 64
"""Bits of an IPv6 address that name its network. Somebody who has one address can use all of the network."""

Place = tuple[int, str]


class LinkRate:
    """Counts the new links of each hour. The counts are in memory, so they begin again after a restart."""

    def __init__(self, most: int | None) -> None:
        """Take the most new links that a userId may get from one address within an hour; None for no limit."""
        self._most = most
        self._hour = ""
        self._counts: Counter[Place] = Counter()

    def allows(self, user: int, address: str | None, hour: str) -> bool:
        """Count a link to a user's node from an address, and tell whether it is allowed.

        Args:
            hour: the hour of ``receivedAt``, such as ``2026-11-24T12``.
        """
        if self._most is None or address is None:
            return True
        if hour != self._hour or len(self._counts) >= MOST_COUNTED:
            self._hour = hour
            self._counts.clear()
        place = (user, network_of(address))
        self._counts[place] += 1
        return self._counts[place] <= self._most

    def is_first_refused(self, user: int, address: str | None) -> bool:
        """Tell whether the link that was just counted is the first refused one of its hour. One warning is enough."""
        return self._most is not None and self._counts[user, network_of(address or "")] == self._most + 1


def network_of(address: str) -> str:
    """Return the network of an IPv6 address; an IPv4 address is returned as it is."""
    if ":" not in address:
        return address
    try:
        ip = ipaddress.IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    return str(ip.ipv4_mapped or ipaddress.ip_network((ip, IPV6_PREFIX), strict=False).network_address)
