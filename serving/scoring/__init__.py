"""One pipeline from a submission to a decision, for requests, files and bare vectors.

The `batcher` takes what waits together and decides each request once (`idempotency`);
`enrichment` adds the received records of a subject, `assessment` puts features, score, reasons and
lane together into a decision. `shadow_scoring` scores it with other models afterwards,
`challenger_score` with the challenger while its lane is chosen.

`files` scores record files: the same models, history check, draws and placement; its docstring says
what a file leaves out, and why. `vectors` scores what other servers' protocols send: the same
models and kill switch, and nothing that needs a subject.
"""
