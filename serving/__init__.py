"""The service: scores, explains and records, so that a person can decide.

A request enters through the `api`, a file through `scoring.files`. `request_parsing` parses the
bytes or refuses them. `scoring` computes features against the known `history`, asks a model
(`models`), puts the subject into a lane (`triage`) and ranks reasons (`explanation`). The decision
is durable in the log before it is answered (`audit`, stored by `storage`). It opens a case, which a
person claims and decides in the `console` or over the API (`review`); the result becomes an
outcome. `monitor` uses outcomes to estimate figures of all traffic.

Only `storage` contains SQL, only `api` and `console` HTTP; nothing that answers requests loads
LightGBM. The contracts in `pyproject.toml` define which package may import which.
"""
