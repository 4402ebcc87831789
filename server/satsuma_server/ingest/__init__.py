"""The way in: decode, check, enrich, append, acknowledge."""
