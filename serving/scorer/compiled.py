"""Functions that only compiled functions call.

They have no entry from Python, whose making is most of the work of compiling a small function, and
no file of compiled code; the function that is called from Python keeps theirs in its own. Each is
put where it is called: a call would hand over every array of a program, time and again.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

F = TypeVar("F", bound=Callable[..., Any])


def inner(function: F) -> F:
    """Compile a function for compiled callers; it lets other threads run."""
    decorate: Any = njit
    return cast(F, decorate(nogil=True, no_cpython_wrapper=True, forceinline=True)(function))
