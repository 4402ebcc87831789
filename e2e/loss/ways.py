"""What visitors do on a page that makes calls, at random."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from loss.walk import Walk

LEAVES_WITHIN = 700
STAYS_FOR = 1500


def some_calls(chance: Random, longest: int, fewest: int = 5, most: int = 15) -> list[int]:
    """Return the times of calls: a third at once after the snippet, the others some time up to `longest`."""
    longest = chance.randrange(longest)
    return [chance.choice((0, 1, 1)) * chance.randint(0, longest) for _ in range(chance.randint(fewest, most))]


def stay(walk: Walk, chance: Random) -> None:
    """Stay until everything is stored."""
    tab = walk.open(*some_calls(chance, STAYS_FOR))
    walk.made_all(tab)
    walk.kept(tab)


def leave(walk: Walk, chance: Random) -> None:
    """Go to another page right after the last call."""
    onward = walk.path()
    tab = walk.open(*some_calls(chance, LEAVES_WITHIN), then=f"go('{onward}')")
    tab.wait_for_url(f"**{onward}", wait_until="commit")


def submit(walk: Walk, chance: Random) -> None:
    """Send a form, whose handler makes the last call."""
    tab = walk.open(*some_calls(chance, LEAVES_WITHIN, 4, 14), then="submit()")
    tab.wait_for_url("**/sent", wait_until="commit")


def close(walk: Walk, chance: Random) -> None:
    """Close the tab right after the last call."""
    tab = walk.open(*some_calls(chance, LEAVES_WITHIN))
    walk.made_all(tab)
    tab.close()


def go_back_and_forward(walk: Walk, chance: Random) -> None:
    """Go on, back to the page as it was left, and forward again; each time with a call."""
    onward = walk.path()
    first = walk.path(*some_calls(chance, STAYS_FOR, 3, 13), then=f"goWhenLoaded('{onward}')")
    tab = walk.go(first)
    tab.wait_for_url(f"**{onward}", wait_until="commit")
    walk.go_in_history(tab, -1, first)
    walk.call(tab)
    walk.go_in_history(tab, 1, onward)
    walk.call(tab)


def lose_the_network(walk: Walk, chance: Random) -> None:
    """Be offline from some moment on, also while going to another page; then the network is back."""
    onward = walk.path()
    tab = walk.open(*some_calls(chance, STAYS_FOR), then=f"go('{onward}')")
    tab.wait_for_timeout(chance.uniform(0, STAYS_FOR / 2))
    walk.go_offline()
    walk.left(tab)
    walk.go_online()
    walk.reach(onward, tab)


def open_a_second_tab(walk: Walk, chance: Random) -> None:
    """Have two tabs that make calls, and close one."""
    first = walk.open(*some_calls(chance, STAYS_FOR, 3, 8))
    second = walk.open(*some_calls(chance, STAYS_FOR, 2, 7))
    walk.made_all(first)
    first.close()
    walk.made_all(second)


def put_away(walk: Walk, chance: Random) -> None:
    """Hide the page, as on a telephone that then ends the browser."""
    tab = walk.open(*some_calls(chance, STAYS_FOR))
    walk.made_all(tab)
    walk.hide(tab)
    walk.crash(tab)


Way = Callable[[Walk, Random], None]

WAYS: tuple[Way, ...] = (
    stay,
    leave,
    submit,
    close,
    go_back_and_forward,
    lose_the_network,
    open_a_second_tab,
    put_away,
)
