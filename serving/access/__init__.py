"""Who is asking, and what they may see.

`api_keys` makes and checks the keys of machines, `callers` says what a key allows, `sessions` lets
the holder of a key read in a browser for a short while. Nothing here knows a database or HTTP.
"""
