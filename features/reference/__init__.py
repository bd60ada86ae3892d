"""Reference data: places and distances, currencies, and lists of codes."""
