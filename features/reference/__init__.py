"""What everybody may look up: places and distances, currencies, lists of codes."""
