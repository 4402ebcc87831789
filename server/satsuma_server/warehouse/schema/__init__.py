"""The schemas, tables and columns of the warehouse, with their names and types."""
