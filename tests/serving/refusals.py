"""A refusal that a test expects, by the code of its problem."""

import pytest

from serving.errors import ServingError


def refused_with(code: str, match: str | None = None) -> "pytest.RaisesExc[ServingError]":
    """Expect an error with this code, and words that `match` finds in its detail."""
    return pytest.raises(ServingError, match=match, check=lambda error: error.problem.code == code)
