"""The reviewers' pages: evidence first, in words, and the score last.

`sign_in` opens a short session for the holder of a key with the scope `explain`, `pages` renders
templates under a policy that lets no script run, `case_view` puts a stored decision into words, and
`decisions` and `features` are the pages themselves; `api_reference` is for those who build against
the service. All of them work without scripts, on any screen.

A case drawn at random looks like any other selected case, so that it gets the same diligence.
"""
