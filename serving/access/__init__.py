"""Who is asking, and what they may see.

`api_keys` makes and checks the keys of machines, `callers` says what a key allows, `sessions` lets
a person read in a browser for a short while, and `oidc` lets an organisation say who that is.
`pseudonyms` stand in for parties where nobody needs to know them. Nothing here knows a database, or
answers HTTP.
"""
