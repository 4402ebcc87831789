"""The way in: decode, check, stamp, append, acknowledge."""
