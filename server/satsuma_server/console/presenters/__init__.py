"""Computes what the console's screens show, from events and profiles, without HTTP."""
