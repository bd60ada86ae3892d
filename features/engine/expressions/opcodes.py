"""What the machine can do, and what a column may hold while it does.

Every register cell has eight bytes: a float64, or an int64 that is a whole number, an instant, a
text's code or a condition (0 or 1).
"""

from enum import Enum, IntEnum

import numpy as np
import numpy.typing as npt


class Kind(Enum):
    """What a column holds; the value is the dtype it has outside the machine."""

    NUMBER = np.dtype(np.float64)
    WHOLE = np.dtype(np.int64)
    TEXT = np.dtype(np.int32)
    CONDITION = np.dtype(np.bool_)

    @classmethod
    def of(cls, column: npt.NDArray[np.generic]) -> "Kind":
        """What a column of this dtype holds."""
        return cls(column.dtype)

    @property
    def is_float(self) -> bool:
        """Whether its cells are float64 rather than int64."""
        return self is Kind.NUMBER


class Op(IntEnum):
    """An operation; its range says on which cells it works: see `machine`."""

    # float64, float64 -> float64
    ADD = 0
    SUBTRACT = 1
    MULTIPLY = 2
    DIVIDE = 3
    REMAINDER = 4
    FLOOR_DIVIDE = 5
    MAXIMUM = 6
    MINIMUM = 7
    FMAX = 8
    FMIN = 9
    POWER = 10
    # float64 -> float64
    NEGATIVE = 20
    ABSOLUTE = 21
    RINT = 22
    FLOOR = 23
    CEIL = 24
    SQRT = 25
    SIN = 26
    COS = 27
    ARCSIN = 28
    LOG = 29
    LOG1P = 30
    EXP = 31
    # float64, float64 -> condition
    LESS = 40
    LESS_EQUAL = 41
    EQUAL = 42
    NOT_EQUAL = 43
    ISFINITE = 44
    # int64, int64 -> int64
    WHOLE_ADD = 60
    WHOLE_SUBTRACT = 61
    WHOLE_MULTIPLY = 62
    WHOLE_REMAINDER = 63
    WHOLE_FLOOR_DIVIDE = 64
    WHOLE_MAXIMUM = 65
    WHOLE_MINIMUM = 66
    WHOLE_AND = 67
    WHOLE_OR = 68
    WHOLE_XOR = 69
    # int64, int64 -> condition
    WHOLE_LESS = 80
    WHOLE_LESS_EQUAL = 81
    WHOLE_EQUAL = 82
    WHOLE_NOT_EQUAL = 83
    # any
    AS_NUMBER = 100
    SELECT = 101

    @property
    def arity(self) -> int:
        """How many values it reads."""
        if self is Op.SELECT:
            return 3
        return 1 if self is Op.AS_NUMBER or Op.NEGATIVE <= self <= Op.EXP else 2


FIRST_UNARY = Op.NEGATIVE
FIRST_TEST = Op.LESS
FIRST_WHOLE = Op.WHOLE_ADD
FIRST_WHOLE_TEST = Op.WHOLE_LESS
FIRST_MOVE = Op.AS_NUMBER
