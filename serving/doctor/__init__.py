"""Checks for what is missing or unsafe on this machine.

They create no database and no key. They may complete the public identity that links a home to its
database, like any command that opens both.
"""
