"""Parts that the API and the console share: callers, bodies, languages, problems, middleware.

`authentication` identifies the caller, `bodies` reads requests, `problems` answers with an error,
and the middleware modules wrap every request. Only `serving.api`, `serving.console` and the
application import this package; it imports none of them.
"""
