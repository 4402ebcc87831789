"""The pytest plugin: fixtures that put a real browser in front of a real collector."""
