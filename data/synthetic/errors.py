"""What can go wrong in this room.

TidegateError
└── ScenarioError             a scenario names an unknown key or a value out of its range
"""

from features.errors import TidegateError


class ScenarioError(TidegateError):
    """A scenario cannot be used; the message names the key and what it may be."""
