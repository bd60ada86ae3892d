"""Payments of the AMLGentex worlds, scored by what the network showed before each of them."""
