"""From outcomes to a model that may be trusted.

Input: a training-set folder written by `tidegate build`. `outcomes` defines labels; `data` checks
the folder and splits it by time, with a gap for late labels; `fit` fits and calibrates trees;
`leakage` tests whether they use information from the future; `evaluation` estimates what inspectors
would have found. `train` runs these steps, after `search` if better parameters are wanted.

Output: a signed folder (`model`) and, through `registry`, a registered version, which becomes the
champion once it passes every gate (`gates`). `dossier` collects all documents about a version, and
`backtest` replays whom a policy would have inspected. `retrain` does all of it from the records of
a service.

May import `features`. Of this package, serving uses only `model.risk_model`, `confidence_intervals`
and `errors`; only `registry.mlflow` imports MLflow.
"""

from training.fonts import keep_fonts

keep_fonts()
