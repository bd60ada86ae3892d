"""PDF versions of pages, for files and courts, with proof of their content.

`paper` writes headings, texts and tables; the other modules define the content. The same state
gives the same bytes, so nothing here reads a clock or names the reader.
"""
