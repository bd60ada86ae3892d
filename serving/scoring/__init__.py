"""One pipeline from a submission to a decision, for requests and files.

The `batcher` takes waiting requests together and decides each once (`idempotency`). `assessment`
is the pipeline: `enrichment` adds the received records of a subject, then follow features, score,
lane, reasons and record. `shadow_scoring` scores it with other models afterwards.

`files` scores record files: the same models, history check, draws and placement; its docstring says
what a file leaves out, and why.
"""
