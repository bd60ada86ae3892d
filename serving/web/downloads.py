"""Headers for answers that a browser saves as files."""

from urllib.parse import quote


def download_headers(name: str) -> dict[str, str]:
    """Return headers for a download of this name, in any script, that no cache stores."""
    named = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    return {"Content-Disposition": named, "Cache-Control": "no-store"}
