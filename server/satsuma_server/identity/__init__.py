"""Which identifiers are one person: rules, extraction from events, and the graph. Pure logic without a database."""
