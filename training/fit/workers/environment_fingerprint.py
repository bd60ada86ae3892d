"""A fingerprint of everything that determines a worker's trees."""

from pathlib import Path

from features.installed_code import installed_code

_TRAINING = Path(__file__).parents[2]
_ROOMS = (_TRAINING, _TRAINING.with_name("features"))

# Computed once, at import: the code that is loaded, not what is installed meanwhile.
CODE = installed_code(_ROOMS, ("lightgbm", "numpy", "pandas", "pyarrow"))
