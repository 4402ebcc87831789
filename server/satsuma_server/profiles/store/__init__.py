"""Stores profiles in a database, SQLite or Postgres."""
