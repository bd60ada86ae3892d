"""Why a model's text is not scored.

TidegateError
└── TreesRefused            names the file and the line, and the tree if it is in one
    ├── TextDamaged         not the text that LightGBM writes: a key, a size, a number
    ├── TreeDamaged         well written, and not a tree: a child, a count, a feature, a set
    └── NotScorable         sound, and of a sort that this scorer does not compute
"""

from features.errors import TidegateError


class TreesRefused(TidegateError):
    """The text of a model was refused; the message names the file and the place in it."""


class TextDamaged(TreesRefused):
    """A key, a size or a number is not as LightGBM writes it."""


class TreeDamaged(TreesRefused):
    """The numbers do not describe one binary tree over the model's features."""


class NotScorable(TreesRefused):
    """A sort of model that this scorer does not compute; the message names the sort."""
