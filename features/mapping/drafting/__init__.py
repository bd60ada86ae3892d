"""Draft a mapping for an undescribed table, with the confidence of each line.

`column_words` interprets column names in several languages, `column_values` interprets values,
`proposals` combines the two and `mapping_draft` writes the mapping.
"""
