"""The HTTP API of profiles."""
