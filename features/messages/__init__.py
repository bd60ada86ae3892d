"""Messages of the trade's standards -> records, each field with its place in the original.

`formats` names the standards and has the one door, `read_message`. Bytes become a tree
(`xml_tree`, `json_tree`) or segments (`edifact_segments`) within fixed bounds; a reader for each
standard drafts records from them (`record_drafts`), and what it makes, leaves, withholds and
refuses is a `conversion`. `import_files` writes it as record files; a service lets a
`reader_process` read what strangers send, which has nothing to lose.

Nothing about a person is put into a record: parties become pseudonyms (`parties`), names,
addresses and ways to reach somebody are withheld (`personal_elements`).
"""
