"""Parts that the API and the console share: callers, bodies, languages, problems, middleware.

`authentication` says who is calling, `bodies` reads what they send, `problems` answers with an
error, `middleware` modules wrap every request. Imported by `serving.api`, `serving.console` and the
application alone; it imports neither of the two.
"""
