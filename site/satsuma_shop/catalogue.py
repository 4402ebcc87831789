"""The products of the shop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Product:
    """One product.

    Attributes:
        slug: its name in URLs, and its id in events.
        price: price in cents.
        skin, flesh: colours of its picture.
    """

    slug: str
    name: str
    origin: str
    blurb: str
    price: int
    unit: str
    skin: str
    flesh: str

    @property
    def price_text(self) -> str:
        return money(self.price)

    @property
    def text(self) -> str:
        """The text that a search looks in."""
        return f"{self.name} {self.origin} {self.blurb}".casefold()

    def properties(self, quantity: int = 1) -> dict[str, Any]:
        """Return the product as a property of events."""
        return {"product_id": self.slug, "name": self.name, "price": self.price / 100, "quantity": quantity}


def search(query: str) -> list[Product]:
    """Return the products that have every word of a query in their name, origin or blurb."""
    words = query.casefold().split()
    return [product for product in PRODUCTS if all(word in product.text for word in words)]


def money(cents: int) -> str:
    """Return an amount of money as text for people."""
    return f"€{cents / 100:.2f}"


PRODUCTS = (
    Product(
        "satsuma", "Satsuma", "Wakayama, Japan", "Loose skin, no pips, gone in four bites.",
        420, "kilo", "#f08a24", "#ffb347",
    ),
    Product(
        "yuzu", "Yuzu", "Kochi, Japan", "Knobbly and cold-proof. One drop scents a whole pot.",
        950, "six", "#e9c230", "#f6e58d",
    ),
    Product(
        "blood-orange", "Blood orange", "Etna, Sicily", "Cold nights paint it red. Squeeze it over nothing at all.",
        560, "kilo", "#d9501e", "#a3162e",
    ),
    Product(
        "bergamot", "Bergamot", "Calabria, Italy", "You know it from the tea. It knows you too.",
        780, "four", "#a9b534", "#dfe58a",
    ),
    Product(
        "kumquat", "Kumquat", "Corfu, Greece", "Eat it whole. Sweet outside, sour inside, like some people.",
        390, "punnet", "#ef7f1a", "#ffc069",
    ),
    Product(
        "pomelo", "Pomelo", "Chiang Mai, Thailand", "The size of a head and twice as agreeable.",
        640, "each", "#b8c24a", "#f4b6a6",
    ),
)  # fmt: skip
BY_SLUG = {product.slug: product for product in PRODUCTS}
