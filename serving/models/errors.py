"""Errors of the models.

Unavailable
└── NoModel
"""

from serving.errors import Unavailable


class NoModel(Unavailable):
    """No usable champion for this kind of subject."""

    code = "no-model"
