"""What can go wrong in this room.

TidegateError                 shown to a person without a traceback; exit code 1
├── DefinitionError           a feature or window is declared wrongly: a programmer's mistake
├── UnknownFeature            no feature of that name; says the nearest ones
├── RecordsError              a record file cannot be used: names file, row and column
└── CatalogueMismatch         a matrix or model was made with another catalogue
"""


class TidegateError(Exception):
    """Base of every error that a person is shown: asked, wrong, and the nearest right answer."""


class DefinitionError(TidegateError):
    """A feature or window is declared wrongly."""


class UnknownFeature(TidegateError):
    """No feature of that name is in the catalogue."""


class RecordsError(TidegateError):
    """A record file cannot be used; the message names the file, and the row and column if any."""


class CatalogueMismatch(TidegateError):
    """Columns, order or meaning differ from the catalogue that was expected."""
