"""Queries of the warehouse."""
