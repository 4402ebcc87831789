"""What browsers load: the snippet, the loader, the runtime, and a source's settings."""
