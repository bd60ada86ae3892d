"""Ways of learning from traffic that nobody inspected, compared over several worlds."""
