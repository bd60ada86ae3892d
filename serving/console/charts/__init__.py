"""Pictures of a case, drawn on the server: its way on a map, its days on a line, its payments.

Each module turns a submission into places on a canvas; the templates draw them as SVG.
"""
