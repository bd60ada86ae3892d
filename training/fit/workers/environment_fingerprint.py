"""What decides the trees that a worker grows."""

from pathlib import Path

from features.installed_code import installed_code

_TRAINING = Path(__file__).parents[2]
_ROOMS = (_TRAINING, _TRAINING.with_name("features"))

# Of the code that this process loaded, not of what somebody installs while it runs.
CODE = installed_code(_ROOMS, ("lightgbm", "numpy", "pandas", "pyarrow"))
