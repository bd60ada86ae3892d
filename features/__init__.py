"""What is known about a route or a shipment, as of the instant it is scored.

Enters: records of journeys, documents, transactions and outcomes (`records`), from files
(`reading`, held to their `contract`; `quarantine` takes what breaks it) or from one request
(`submission`). Leaves: one row of features per subject, in the order of the `catalogue`, computed
by one engine for many subjects (`matrix`, from files by `batch`) and for one or as many as wait
together (`vector`, beside the `state`).

Nothing here reads a clock, trains, serves or knows how a model works; every room may import it.
"""
