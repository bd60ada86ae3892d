"""Pages as PDF, for files and courts: what a page says, on paper, with what proves it.

`paper` writes headings, texts and tables; the others say what stands on each. The same state gives
the same bytes, so nothing here reads a clock or says who asked.
"""
