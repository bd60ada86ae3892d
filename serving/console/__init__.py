"""The reviewers' web pages: evidence first, as text, and the score last.

`sign_in` opens a short session, `pages` renders templates under a strict content policy,
`case_view` turns a stored decision into text, and `api_reference` documents the API for
integrators. Pages work without scripts and on any screen. A case drawn at random looks like any
other selected case, so that it is examined with the same care.
"""
