"""The service over HTTP: one module per resource.

A route is a handler with its description; `serving.app.RESOURCES` lists the modules. `answers` are
the shapes of what leaves, `openapi` completes the description with examples and problems.
"""
