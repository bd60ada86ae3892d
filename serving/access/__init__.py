"""Authentication and authorisation: who is calling, and what they may see.

`api_keys` creates and checks the keys of machines, `callers` defines what a key allows, `sessions`
are short sign-ins of browsers, and `oidc` lets an organisation authenticate its people.
`pseudonyms` replace parties where nobody needs to identify them. Nothing here depends on a database
or answers HTTP.
"""
