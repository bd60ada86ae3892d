"""Answers that a browser keeps as files."""

from urllib.parse import quote


def download_headers(name: str) -> dict[str, str]:
    """The headers of a file of this name, which no cache keeps: any letters may be in it."""
    named = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    return {"Content-Disposition": named, "Cache-Control": "no-store"}
