"""The names of Tidegate that a notebook or another program needs: `import tidegate as tg`.

The code lives in `features`, `training` and `serving` (docs/adr/0026-import-names.md). Each name is
loaded when it is first used, because `training` brings MLflow and LightGBM, which take seconds.
"""

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from features.build_training_set import build_training_set
    from features.errors import TidegateError
    from features.submission import Submission
    from tidegate_client import Tidegate as Client
    from training.data.training_set import TrainingSet
    from training.evaluation.evaluate import evaluate_model as evaluate
    from training.model.risk_model import RiskModel
    from training.train import train_model as train

__version__ = version("tidegate")

__all__ = [
    "Client",
    "RiskModel",
    "Submission",
    "TidegateError",
    "TrainingSet",
    "__version__",
    "build_training_set",
    "evaluate",
    "train",
]

_PLACES = {
    "Client": ("tidegate_client", "Tidegate"),
    "RiskModel": ("training.model.risk_model", "RiskModel"),
    "Submission": ("features.submission", "Submission"),
    "TidegateError": ("features.errors", "TidegateError"),
    "TrainingSet": ("training.data.training_set", "TrainingSet"),
    "build_training_set": ("features.build_training_set", "build_training_set"),
    "evaluate": ("training.evaluation.evaluate", "evaluate_model"),
    "train": ("training.train", "train_model"),
}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = _PLACES[name]
    value = getattr(import_module(module), attribute)
    globals()[name] = value  # the next use finds it without this function
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
