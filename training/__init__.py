"""From outcomes to a model that may be trusted.

Enters: a training-set folder as `tidegate build` writes it. On the way: `outcomes` says what a
label is, `time_split` cuts time with a gap for late labels, `search` looks for better parameters
where asked to, `fit` grows trees, `calibration` turns margins into log-odds, `evaluation` asks what
inspectors would have found; `candidate` strings them together. Leaves: a `risk_model` folder,
signed and checked, and through `tracking` a registered version; `judgement` asks every gate in
`gates` about it, and `promotion` makes it the champion once all are passed. `dossier` gathers all
that is on file about a version, and `backtest` replays whom a policy would have inspected.

May import `features`. Of this room, serving knows only `risk_model`, `estimators` and `errors`;
only `tracking` opens the door to MLflow.
"""

from training.fonts import keep_fonts

keep_fonts()
