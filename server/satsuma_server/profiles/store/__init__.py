"""Profiles in a database: SQLite or Postgres."""
