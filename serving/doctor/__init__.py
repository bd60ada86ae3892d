"""Checks for what is missing or unsafe on this machine.

They create no database and no key. They may write the missing part of the public identity that
links a home to its database, as every command does that opens both.
"""
