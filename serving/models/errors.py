"""What can go wrong in this room.

ApprovalRefused
TidegateError
Unavailable
├── NoModel
│   └── ModelsOff    somebody switched them off
└── Unexplained      a score's parts do not add up to it
"""

from serving.errors import Unavailable


class NoModel(Unavailable):
    """No usable champion for this kind of subject."""

    code = "no-model"


class ModelsOff(NoModel):
    """Somebody switched the models of this kind of subject off."""

    code = "models-off"


class Unexplained(Unavailable):
    """The parts of a score do not add up to it: it is not given, since it may be wrong itself."""

    code = "unexplained"
