"""A table that nobody has described -> a mapping to begin with, which says how sure it is.

`column_words` reads names of columns in the jargon of several languages, `column_values` what
values look like, `proposals` joins the two and `mapping_draft` writes the mapping.
"""
