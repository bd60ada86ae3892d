"""Read trade messages as records, with the location of each field in the original.

`formats` lists the standards and has the single entry point, `convert_message`. Bytes are parsed
into a tree (`xml_tree`, `json_tree`) or segments (`edifact_segments`) within fixed limits. One
reader per standard drafts records (`record_drafts`), by tables of fields (`field_tables`) where a
message is a tree; a `conversion` holds the records and all that was left over, withheld or refused.
`import_files` writes it as record files. A service reads untrusted messages in a `reader_process`
without access to keys or data.

No record holds data about a person: parties become pseudonyms (`parties`); names, addresses and
contact details are withheld (`personal_elements`).
"""
