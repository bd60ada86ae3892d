"""What features of networks add, in several invented worlds."""
