"""What can go wrong in this room.

TidegateError
└── PlanRefused  a plan of lanes that cannot be used
"""

from features.errors import TidegateError


class PlanRefused(TidegateError):
    """The plan of the lanes cannot be used; the message names the file and the place in it."""
