"""Tables and pictures as one self-contained HTML file."""

import base64
import io
from collections.abc import Iterable, Mapping
from html import escape
from string import Template

from matplotlib.figure import Figure

# A Template, because CSS is full of braces, which str.format would need doubled.
_PAGE = Template("""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>$title</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body{font:15px/1.5 system-ui,sans-serif;color:#16242d;max-width:76rem;
margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}
table{border-collapse:collapse;margin:.5rem 0;display:block;overflow-x:auto;font-size:.85em}
th,td{padding:.2rem .5rem;text-align:right;
border-bottom:1px solid #d9e0e4;font-variant-numeric:tabular-nums;white-space:nowrap}
th{white-space:normal;vertical-align:bottom}
th:first-child,td:first-child,.texts th,.texts td{text-align:left}
.texts td{white-space:normal;overflow-wrap:break-word;vertical-align:top}
pre{white-space:pre-wrap}small{color:#5a6b75}h2+p:has(small){margin:-.6rem 0 .4rem}
.note{background:#f3f0e7;border-left:4px solid #c8553d;padding:.6rem 1rem}
.pictures{display:flex;flex-wrap:wrap;gap:1rem}img{max-width:100%;height:auto}
</style></head><body>
<h1>$title</h1>
$parts
<div class="pictures">$pictures</div>
</body></html>
""")


def document(title: str, parts: Iterable[str], pictures: Mapping[str, bytes]) -> str:
    """Return a whole page; `parts` are HTML, the title is text, pictures are PNG."""
    return _PAGE.substitute(
        title=escape(title),
        parts="\n".join(parts),
        pictures="\n".join(_picture(name, png) for name, png in pictures.items()),
    )


def table(
    title: str,
    head: tuple[str, ...],
    rows: Iterable[tuple[str, ...]],
    *,
    caption: str = "",
    of_words: bool = False,
) -> str:
    """Return a table with escaped cells; `of_words` lays it out as prose.

    Without a title there is no heading. The `caption` names the subjects covered.
    """
    heading = f"<h2>{escape(title)}</h2>" if title else ""
    heading += f"<p><small>{escape(caption)}</small></p>" if caption else ""
    top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    face = ' class="texts"' if of_words else ""
    return f"{heading}<table{face}><tr>{top}</tr>{body}</table>"


def footnote(text: str) -> str:
    """Return a highlighted paragraph."""
    return f'<p class="note">{escape(text)}</p>'


def as_png(figures: Mapping[str, Figure]) -> dict[str, bytes]:
    """Draw figures as PNG files; slow, so draw once and reuse the files."""
    return {name: _drawn(figure) for name, figure in figures.items()}


def _drawn(figure: Figure) -> bytes:
    content = io.BytesIO()
    figure.savefig(content, format="png")
    return content.getvalue()


def _picture(name: str, png: bytes) -> str:
    # Inline, so that the page can be mailed and archived as one file.
    encoded = base64.b64encode(png).decode()
    return f'<img alt="{escape(name.replace("_", " "))}" src="data:image/png;base64,{encoded}">'
