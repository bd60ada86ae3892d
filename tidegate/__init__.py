"""Tidegate as a library: `import tidegate as tg` (docs/library.md).

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
    from tidegate.feature_values import assure_feature as assure
    from tidegate.feature_values import compute_feature as compute
    from tidegate.feature_values import show_feature as show
    from tidegate.home import HomeFolder as Home
    from tidegate.home import open_home as open
    from tidegate.judgement import compare_models as compare
    from tidegate.judgement import evaluate_any as evaluate
    from tidegate.judgement import gates_on as gates
    from tidegate.offline_scoring import score_offline as score
    from tidegate.risk_classifier import RiskClassifier
    from tidegate.score_explanation import ScoreExplanation as Explanation
    from tidegate.score_explanation import explain_scores as explain
    from tidegate_client import Tidegate as Client
    from training.data.training_set import TrainingSet
    from training.model.risk_model import RiskModel
    from training.parameters import TrainingParameters
    from training.train import train_model as train

__version__ = version("tidegate")

__all__ = [
    "Client",
    "Explanation",
    "Home",
    "RiskClassifier",
    "RiskModel",
    "Submission",
    "TidegateError",
    "TrainingParameters",
    "TrainingSet",
    "__version__",
    "assure",
    "build_training_set",
    "compare",
    "compute",
    "evaluate",
    "explain",
    "gates",
    "open",
    "score",
    "show",
    "train",
]

_PLACES = {
    "Client": ("tidegate_client", "Tidegate"),
    "Explanation": ("tidegate.score_explanation", "ScoreExplanation"),
    "Home": ("tidegate.home", "HomeFolder"),
    "RiskClassifier": ("tidegate.risk_classifier", "RiskClassifier"),
    "RiskModel": ("training.model.risk_model", "RiskModel"),
    "Submission": ("features.submission", "Submission"),
    "TidegateError": ("features.errors", "TidegateError"),
    "TrainingParameters": ("training.parameters", "TrainingParameters"),
    "TrainingSet": ("training.data.training_set", "TrainingSet"),
    "assure": ("tidegate.feature_values", "assure_feature"),
    "build_training_set": ("features.build_training_set", "build_training_set"),
    "compare": ("tidegate.judgement", "compare_models"),
    "compute": ("tidegate.feature_values", "compute_feature"),
    "evaluate": ("tidegate.judgement", "evaluate_any"),
    "explain": ("tidegate.score_explanation", "explain_scores"),
    "gates": ("tidegate.judgement", "gates_on"),
    "open": ("tidegate.home", "open_home"),
    "score": ("tidegate.offline_scoring", "score_offline"),
    "show": ("tidegate.feature_values", "show_feature"),
    "train": ("training.train", "train_model"),
}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        value = _load(name)
    except ModuleNotFoundError as error:
        from serving.extras import extras_for, missing  # noqa: PLC0415

        if extras := extras_for("train", error):
            raise missing(f"tidegate.{name}", *extras) from None
        raise
    globals()[name] = value  # the next use finds it without this function
    return value


def _load(name: str) -> Any:
    module, attribute = _PLACES[name]
    return getattr(import_module(module), attribute)


def __dir__() -> list[str]:
    return sorted(__all__)
