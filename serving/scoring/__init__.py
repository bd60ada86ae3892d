"""One pipeline from a submission to a decision, for requests, files and bare vectors.

The `batcher` takes what waits together and decides each request once (`idempotency`);
`enrichment` adds what is already known of a subject, `assessment` puts features, score, reasons and
lane together into a decision. `shadow_scoring` asks other models beside it, `challenger_score` the
challenger while a lane is chosen. `files` scores record files offline, `vectors` what other
servers' protocols send.
"""
