"""Reads and writes of each kind of row; all writes go through the write lock."""
