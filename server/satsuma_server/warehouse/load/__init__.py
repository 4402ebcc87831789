"""From events in the log to rows in the warehouse."""
