"""Cases: their state and history, what opens and lists them, and the results that end them."""
