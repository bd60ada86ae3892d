"""The HTTP API: one module per resource.

A route is a handler with its OpenAPI text; `serving.app.RESOURCES` lists the modules. `answers`
defines response bodies; `openapi` adds examples and problems to the document.
"""
