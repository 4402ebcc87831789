"""Takes events in: decodes, checks and enriches them, appends them to the log, and answers."""
