"""Reference data: places and distances, currencies, lists of codes."""
