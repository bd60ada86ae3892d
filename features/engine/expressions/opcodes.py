"""Operations of the interpreter.

A cell of a register has eight bytes: a float64, or an int64 that is a whole number, an instant, the
code of a text or a condition (0 or 1).
"""

from enum import IntEnum


class Op(IntEnum):
    """Operation; its range determines which registers it uses (see `interpreter`).

    There are only operations that a feature or derived column needs. To add one, add a member here,
    a branch in `interpreter` and a line in `numpy_ops`.
    """

    # float64, float64 -> float64
    ADD = 0
    SUBTRACT = 1
    MULTIPLY = 2
    DIVIDE = 3
    REMAINDER = 4
    MAXIMUM = 5
    MINIMUM = 6
    FMAX = 7
    # float64 -> float64
    RINT = 21
    SQRT = 22
    SIN = 23
    COS = 24
    ARCSIN = 25
    LOG = 26
    EXP = 27
    # float64, float64 -> condition
    LESS = 40
    LESS_EQUAL = 41
    EQUAL = 42
    NOT_EQUAL = 43
    # int64, int64 -> int64
    WHOLE_SUBTRACT = 60
    WHOLE_REMAINDER = 61
    WHOLE_FLOOR_DIVIDE = 62
    WHOLE_AND = 63
    WHOLE_OR = 64
    WHOLE_XOR = 65
    # int64, int64 -> condition
    WHOLE_LESS = 80
    WHOLE_LESS_EQUAL = 81
    WHOLE_EQUAL = 82
    WHOLE_NOT_EQUAL = 83
    # any
    AS_NUMBER = 100
    SELECT = 101
    LOOK_UP = 102

    @property
    def arity(self) -> int:
        """Number of values it reads."""
        if self is Op.SELECT:
            return 3
        is_of_one = self in (Op.AS_NUMBER, Op.LOOK_UP) or Op.RINT <= self <= Op.EXP
        return 1 if is_of_one else 2


FIRST_UNARY = Op.RINT
FIRST_TEST = Op.LESS
FIRST_WHOLE = Op.WHOLE_SUBTRACT
FIRST_WHOLE_TEST = Op.WHOLE_LESS
FIRST_MOVE = Op.AS_NUMBER
