"""The facts about a route or a shipment, as of the instant it is scored.

Input: records of journeys, documents, transactions and outcomes (`records`), from files (`ingest`)
or from one request (`submission`). Output: one row of features per subject, in the order of the
`catalogue`, as a training set from files (`build_training_set`) or as the vector of a submitted
subject (`vector`).

A feature is a function in `families`. It reads columns of the subject (`derived`), of the records
linked to it (`linked_records`) and windows over earlier events; `engine` computes all of them and
names none. `reference` holds public reference data: places, currencies, code lists.

Nothing here reads a clock, trains, serves or knows how a model works; every other package may
import it.
"""
