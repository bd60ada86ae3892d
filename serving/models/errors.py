"""What can go wrong in this room.

ApprovalRefused
└── SeatUnrecorded   a pointer is newer than what is on record of its seat
TidegateError
└── TreesRefused     a model's text is not scored; names the file and the place
    ├── TextDamaged  not the text that LightGBM writes: a key, a size, a number
    ├── TreeDamaged  well written, and not a tree: a child, a count, a feature, a set
    └── NotScorable  sound, and of a sort that this scorer does not compute
Unavailable
├── NoModel
│   └── ModelsOff    somebody switched them off
└── Unexplained      a score's parts do not add up to it
"""

from features.errors import TidegateError
from serving.access.errors import ApprovalRefused
from serving.errors import Unavailable


class SeatUnrecorded(ApprovalRefused):
    """A pointer is in its seat and no act on record wrote it: not yet, or somebody put it there."""


class TreesRefused(TidegateError):
    """The text of a model was refused; the message names the file and the place in it."""


class TextDamaged(TreesRefused):
    """A key, a size or a number is not as LightGBM writes it."""


class TreeDamaged(TreesRefused):
    """The numbers do not describe one binary tree over the model's features."""


class NotScorable(TreesRefused):
    """A sort of model that this scorer does not compute; the message names the sort."""


class NoModel(Unavailable):
    """No usable champion for this kind of subject."""

    title = "No model is ready"
    retry_after_s = 60


class ModelsOff(NoModel):
    """Somebody switched the models of this kind of subject off."""

    title = "Models are switched off"


class Unexplained(Unavailable):
    """The parts of a score do not add up to it: it is not given, since it may be wrong itself."""

    title = "The score cannot be explained"
