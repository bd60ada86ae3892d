"""Errors of the models.

ApprovalRefused
TidegateError
Unavailable
├── NoModel
│   └── ModelsOff    switched off by the kill switch
└── Unexplained      contributions do not add up to the score
"""

from serving.errors import Unavailable


class NoModel(Unavailable):
    """No usable champion for this kind of subject."""

    code = "no-model"


class ModelsOff(NoModel):
    """The models of this kind of subject are switched off."""

    code = "models-off"


class Unexplained(Unavailable):
    """The contributions do not add up to the score; it is withheld, since it may be wrong too."""

    code = "unexplained"
