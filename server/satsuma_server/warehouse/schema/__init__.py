"""What schemas, tables and columns there are, what they are called and what they can hold."""
