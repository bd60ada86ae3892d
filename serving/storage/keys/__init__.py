"""Keys in the database: data keys by day, keys of tokens, their rotation and destruction."""
