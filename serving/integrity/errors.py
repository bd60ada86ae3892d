"""Errors of integrity.

TidegateError
└── LogNotWhole        the log contradicts its checkpoints, or its tables were changed
"""

from features.errors import TidegateError


class LogNotWhole(TidegateError):
    """The log contradicts its checkpoints, or its tables are not those of this release.

    The message names the fault and the remedies.
    """
