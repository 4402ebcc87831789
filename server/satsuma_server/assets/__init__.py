"""Serves what browsers load: the snippet, the loader, the runtime, and the settings of a source."""
