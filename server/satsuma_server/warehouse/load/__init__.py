"""Loads events of the log into the warehouse's tables."""
