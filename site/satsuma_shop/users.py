"""The shop's user database, which assigns the userIds."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import sqlite3
import threading
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS users (
    id TEXT PRIMARY KEY, email TEXT NOT NULL UNIQUE COLLATE NOCASE, name TEXT NOT NULL, plan TEXT NOT NULL,
    salt BLOB NOT NULL, password BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS subscribers (email TEXT PRIMARY KEY COLLATE NOCASE, first_name TEXT, last_name TEXT);
"""


class ShopError(Exception):
    """A mistake that the visitor can correct. The message tells how."""


@dataclass(frozen=True, slots=True)
class User:
    """A customer. The id never changes; the e-mail address may."""

    id: str
    email: str
    name: str
    plan: str

    def traits(self) -> dict[str, Any]:
        """Return the traits that are passed to analytics."""
        return {"name": self.name, "email": self.email, "plan": self.plan}


class Users:
    """Customers and newsletter subscribers, in one SQLite file."""

    def __init__(self, data: Path) -> None:
        data.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._db = sqlite3.connect(data / "shop.sqlite3", check_same_thread=False, isolation_level=None)
        self._db.executescript(SCHEMA)

    def register(self, name: str, email: str, password: str, plan: str) -> User:
        """Create a customer.

        Raises:
            ShopError: something is missing, or the address has an account already.
        """
        if not name.strip() or "@" not in email or len(password) < 6:
            raise ShopError("Please give your name, an e-mail address, and a password of six characters or more.")
        user = User(uuid.uuid4().hex[:13], email.strip(), name.strip(), plan)
        salt = os.urandom(16)
        row = (user.id, user.email, user.name, user.plan, salt, _hash(password, salt))
        try:
            with self._lock:
                self._db.execute("INSERT INTO users VALUES (?, ?, ?, ?, ?, ?)", row)
        except sqlite3.IntegrityError as error:
            raise ShopError("There is an account with this address already. Log in instead?") from error
        return user

    def login(self, email: str, password: str) -> User:
        """Return the customer.

        Raises:
            ShopError: address or password are wrong.
        """
        row = self._one("SELECT id, email, name, plan, salt, password FROM users WHERE email = ?", email.strip())
        # An address without an account takes as long as one with an account, so that the time doesn't reveal customers.
        known = row or ("", "", "", "", bytes(16), b"")
        if not hmac.compare_digest(_hash(password, known[4]), known[5]) or row is None:
            raise ShopError("That address and password don't belong together.")
        return User(*row[:4])

    def get(self, user_id: str | None) -> User | None:
        """Return a customer by id."""
        row = self._one("SELECT id, email, name, plan FROM users WHERE id = ?", user_id or "")
        return User(*row) if row else None

    def stand_in(self, name: str, email: str) -> User:
        """Return the customer with this address, or create one. Nobody can log in as them by a password."""
        row = self._one("SELECT id, email, name, plan FROM users WHERE email = ?", email)
        return User(*row) if row else self.register(name, email, secrets.token_urlsafe(24), "segments")

    def update(self, user_id: str, name: str, email: str, plan: str) -> User:
        """Change a customer's profile; the id stays.

        Raises:
            ShopError: something is missing, or the address is another customer's.
        """
        if not name.strip() or "@" not in email:
            raise ShopError("Please give your name and an e-mail address.")
        try:
            with self._lock:
                change = (name.strip(), email.strip(), plan, user_id)
                self._db.execute("UPDATE users SET name = ?, email = ?, plan = ? WHERE id = ?", change)
        except sqlite3.IntegrityError as error:
            raise ShopError("Another account has this address.") from error
        found = self.get(user_id)
        assert found is not None
        return found

    def subscribe(self, first_name: str, last_name: str, email: str) -> None:
        """Add a newsletter subscriber. This creates no account.

        Raises:
            ShopError: the address isn't one.
        """
        if "@" not in email:
            raise ShopError("Please give an e-mail address.")
        with self._lock:
            self._db.execute("INSERT OR REPLACE INTO subscribers VALUES (?, ?, ?)", (email, first_name, last_name))

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _one(self, query: str, value: str) -> tuple[Any, ...] | None:
        with self._lock:
            row: tuple[Any, ...] | None = self._db.execute(query, (value,)).fetchone()
        return row


def _hash(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=2**13, r=8, p=1)
