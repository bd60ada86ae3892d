"""The service over HTTP: one file per resource.

`requests` reads what every call needs (the caller, the body, the key), `answers` are the shapes of
what leaves, `problems` turns everything that goes wrong into `application/problem+json` that
repeats nothing of what came in, `openapi` describes the whole with examples.
"""
