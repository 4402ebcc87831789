"""Copies of the warehouse in other databases."""
