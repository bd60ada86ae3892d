"""From outcomes to a model that may be trusted.

Enters: a training-set folder as `tidegate build` writes it. `outcomes` says what a label is; `data`
checks the folder and splits time with a gap for late labels; `fit` fits trees and calibrates them;
`leakage` asks whether they know what they could not have known, `evaluation` what inspectors would
have found. `train` strings these together, after `search` where better parameters are looked for.

Leaves: a signed folder (`model`), and through `registry` a registered version, which becomes the
champion once it passes every gate (`gates`). `dossier` gathers all that is on file about a version,
and `backtest` replays whom a policy would have inspected. `retrain` does all of it from the records
that a service holds.

May import `features`. Of this room, serving knows only `model.risk_model`, `confidence_intervals`
and `errors`; only `registry.mlflow` imports MLflow.
"""

from training.fonts import keep_fonts

keep_fonts()
