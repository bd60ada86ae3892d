"""The service: scores, explains and remembers, so that a person can decide.

A request enters by the `api`, a file by `scoring.files`. `request_parsing` reads the bytes or
refuses them; `scoring` computes features against the known `history`, asks a model (`models`), puts
reasons into words (`explanation`) and the subject into a lane (`triage`). The decision is durable
in the log before it is answered (`audit`, kept by `db`). It opens a case, which a person claims and
judges in the `console` or over the API (`review`); what was found becomes an outcome. `monitor`
estimates from those what holds of all traffic.

Only `db` knows SQL, only `api` and `console` HTTP; nothing that answers loads LightGBM. The
contracts in `pyproject.toml` say which room may import which.
"""
