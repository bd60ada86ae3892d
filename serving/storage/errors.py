"""Errors of storage.

TidegateError
└── DatabaseMissing     there is no database yet, and a reading command creates none
"""

from features.errors import TidegateError


class DatabaseMissing(TidegateError):
    """There is no database yet, and a reading command creates none."""
