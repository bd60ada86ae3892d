"""PDF document of headings, texts, tables and pictures on numbered A4 pages.

The same content gives the same bytes. Latin, Cyrillic, Greek, Arabic and Hebrew are supported.
Characters that the font lacks, or that could reverse or hide text, appear as code points.
"""

import io
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path

from fpdf import FPDF, FontFace
from fpdf.enums import TableBordersLayout
from fpdf.fonts import TTFFont

from serving.console.charts.label_places import Label

FONTS = Path(__file__).parent / "fonts"
REGULAR, BOLD = FONTS / "DejaVuSans.ttf", FONTS / "DejaVuSans-Bold.ttf"
FAMILY = "DejaVu"

MARGIN_MM, TEXT_PT, SMALL_PT, LINE_MM = 18.0, 9.0, 7.5, 4.6
# Characters of a cell. Tables with longer ones become lists, which can break across pages.
MAX_CELL_LENGTH = 400

INK, QUIET, RULE, GROUND = (28, 39, 51), (86, 100, 116), (190, 198, 206), (240, 243, 246)

# Share of a label's width to the left of its position.
BEFORE = {"start": 0.0, "middle": 0.5, "end": 1.0}

Row = Sequence[str]


@cache
def _known_symbols() -> frozenset[int]:
    """Return the code points that both fonts have."""
    fonts = _NumberedPages(()).fonts.values()
    return frozenset.intersection(*(frozenset(f.cmap) for f in fonts if isinstance(f, TTFFont)))


def readable_symbols(text: str) -> str:
    """Replace unprintable and text-reversing characters by their code points."""
    known = _known_symbols()
    return "".join(
        symbol if symbol == "\n" or _is_printed(symbol, known) else f"[U+{ord(symbol):04X}]"
        for symbol in text.replace("\r\n", "\n")
    )


def _is_printed(symbol: str, known: frozenset[int]) -> bool:
    return ord(symbol) in known and unicodedata.category(symbol) not in {"Cc", "Cf", "Co", "Cs"}


class Paper:
    """Document written from top to bottom; `notes` appear at the foot of every page."""

    def __init__(self, title: str, notes: Sequence[str], at: datetime):
        self._pdf = _NumberedPages([readable_symbols(note) for note in notes])
        # The creation date is content, not the clock, so that the bytes stay the same.
        self._pdf.set_creation_date(at)
        self._pdf.set_title(readable_symbols(title))
        self._pdf.set_producer("Tidegate")
        self._pdf.set_creator("Tidegate")
        self._pdf.set_lang("en")
        self._pdf.add_page()
        self._at = at
        self._write(title, 16, style="B")

    def heading(self, text: str, room_mm: float = 28.0) -> None:
        """Begin a section, on a new page unless `room_mm` are left."""
        if self._pdf.will_page_break(room_mm):
            self._pdf.add_page()
        self._pdf.ln(3)
        self._pdf.start_section(readable_symbols(text))
        self._write(text, 11.5, style="B")

    def text(self, text: str, *, is_small: bool = False) -> None:
        """Write a paragraph; a small one is a remark."""
        if is_small:
            self._write(text, SMALL_PT, colour=QUIET)
        else:
            self._write(text, TEXT_PT)

    def lines(self, texts: Iterable[str]) -> None:
        """Write a list, one paragraph per item."""
        for each in texts:
            self._write(f"• {each}", TEXT_PT)

    def pairs(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Write names with their values, one pair per line; empty values are left out."""
        listed = [(name, text) for name, text in pairs if text]
        self._table((), listed, (1, 3))

    def table(self, head: Row, rows: Sequence[Row], widths: Sequence[float]) -> None:
        """Write a table that repeats its head on every page; nothing without rows."""
        self._table(head, rows, widths)

    def picture(self, svg: str, size: tuple[float, float], labels: Iterable[Label]) -> None:
        """Draw an SVG picture as wide as the page, with labels on top."""
        scale = self._pdf.epw / size[0]
        x, y, height = self._pdf.l_margin, self._pdf.get_y() + 1, scale * size[1]
        # Coasts extend beyond the picture.
        with self._pdf.rect_clip(x=x, y=y, w=self._pdf.epw, h=height):
            self._pdf.image(io.BytesIO(svg.encode()), x, y, self._pdf.epw, height)
        self._pdf.set_font(FAMILY, "", SMALL_PT)
        self._pdf.set_text_color(*INK)
        for label in labels:
            words = readable_symbols(label.text)
            before = BEFORE[label.anchor] * self._pdf.get_string_width(words)
            self._pdf.text(x + scale * label.x - before, y + scale * label.y, words)
        self._pdf.set_y(y + height + 2)

    def attach(self, name: str, content: bytes, media_type: str) -> None:
        """Attach a file, for recipients who want to compute with it."""
        self._pdf.embed_file(
            bytes=content,
            basename=name,
            modification_date=self._at,
            mime_type=media_type,
            associated_file_relationship="Data",
        )

    def content(self) -> bytes:
        """Return the bytes of the PDF."""
        return bytes(self._pdf.output())

    def _write(
        self, text: str, size_pt: float, style: str = "", colour: tuple[int, int, int] = INK
    ) -> None:
        self._pdf.set_font(FAMILY, style, size_pt)
        self._pdf.set_text_color(*colour)
        self._pdf.multi_cell(
            0,
            LINE_MM * size_pt / TEXT_PT,
            readable_symbols(text),
            align="L",
            new_x="LMARGIN",
            new_y="NEXT",
        )
        self._pdf.ln(1)

    def _table(self, head: Row, rows: Sequence[Row], widths: Sequence[float]) -> None:
        if not rows:
            return
        if any(len(cell) > MAX_CELL_LENGTH for row in rows for cell in row):
            for row in rows:
                names = head or [""] * len(row)
                told = (
                    f"{name}: {cell}" if name else cell
                    for name, cell in zip(names, row, strict=True)
                )
                self.text("\n".join(each for each in told if each))
            return
        self._pdf.set_font(FAMILY, "", TEXT_PT - 0.5)
        self._pdf.set_text_color(*INK)
        self._pdf.set_draw_color(*RULE)
        with self._pdf.table(
            col_widths=tuple(widths),
            text_align="LEFT",
            line_height=LINE_MM - 0.4,
            padding=(0.8, 1.2),
            borders_layout=TableBordersLayout.HORIZONTAL_LINES,
            first_row_as_headings=bool(head),
            headings_style=FontFace(emphasis="BOLD", fill_color=GROUND),
        ) as table:
            for row in ([head] if head else []) + list(rows):
                made = table.row()
                for place, cell in enumerate(row):
                    is_name = not head and place == 0
                    style = FontFace(color=QUIET) if is_name else None
                    made.cell(readable_symbols(cell), style=style)
        self._pdf.ln(1.5)


class _NumberedPages(FPDF):
    """Pages with page number, page count and notes at the foot."""

    def __init__(self, notes: Sequence[str]):
        super().__init__(format="A4")
        self._notes = notes
        self.set_margins(MARGIN_MM, MARGIN_MM)
        self.set_auto_page_break(auto=True, margin=MARGIN_MM + 4)
        self.add_font(FAMILY, "", REGULAR)
        self.add_font(FAMILY, "B", BOLD)
        # Arabic and Hebrew need shaping and right-to-left order.
        self.set_text_shaping(use_shaping_engine=True)

    def footer(self) -> None:
        """Write the foot of a page."""
        self.set_y(-MARGIN_MM)
        self.set_font(FAMILY, "", SMALL_PT - 0.5)
        self.set_text_color(*QUIET)
        self.cell(self.epw, 4, f"Page {self.page_no()} of {{nb}}", align="R")
        for line, note in enumerate(self._notes):
            self.set_xy(self.l_margin, -MARGIN_MM + 3.5 * line)
            self.cell(self.epw - 30, 4, note)
