"""Copies the warehouse into other databases."""
