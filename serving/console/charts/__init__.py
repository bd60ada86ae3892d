"""Pictures of a case, drawn on the server: map, timeline, goods, documents and payments.

Each module computes coordinates from a submission; the templates render them as SVG.
"""
