"""How often gates are right where some 150 cases are confirmed."""
