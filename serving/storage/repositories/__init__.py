"""Reads and writes of each kind of row, in transactions that one writer at a time may hold."""
