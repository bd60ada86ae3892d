"""Answers of gates to scores that are right and wrong, where some 150 cases are confirmed."""
