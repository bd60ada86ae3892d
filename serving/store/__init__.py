"""Rows on disk: the only place that knows SQL.

`tables` are the rows, `engine` opens the file so that what was committed survives a power cut,
`decision_log` appends and reads decisions, `key_register` keeps API keys. Rows go in and come out
as plain frozen values; what they mean is decided elsewhere.
"""
