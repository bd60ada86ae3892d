"""Decode UTF-8, UTF-16 and the 8-bit encodings that messages declare; never guess."""

import codecs
import re

from features.errors import MessageRefused

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DECLARED = re.compile(rb"""^<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
# UTF-16 without a byte order mark, recognised by the first character of XML or JSON.
_WITHOUT_MARK = (
    *((sign + b"\x00", "utf-16-le") for sign in (b"<", b"{", b"[")),
    *((b"\x00" + sign, "utf-16-be") for sign in (b"<", b"{", b"[")),
)
_KNOWN = {
    **dict.fromkeys(("utf-8", "utf8"), "utf-8"),
    **dict.fromkeys(("us-ascii", "ascii"), "ascii"),
    **{f"utf-16{end}": f"utf-16{dash}" for end, dash in (("", ""), ("le", "-le"), ("be", "-be"))},
    **{f"iso-8859-{part}": f"iso-8859-{part}" for part in (*range(1, 11), 13, 14, 15, 16)},
    **{f"windows-125{part}": f"cp125{part}" for part in range(9)},
    "latin1": "iso-8859-1",
}


def text_of(message: bytes, otherwise: str = "utf-8") -> str:
    """Return the text of a message, by its byte order mark, XML declaration or else `otherwise`.

    Raises MessageRefused if the encoding is unknown or the bytes are invalid in it.
    """
    encoding, start = _encoding_of(message, otherwise)
    try:
        return message[start:].decode(encoding)
    except UnicodeDecodeError as error:
        line = message[:start].count(b"\n") + message[start : start + error.start].count(b"\n") + 1
        raise MessageRefused(f"line {line}", f"want text in {encoding}") from None


def _encoding_of(message: bytes, otherwise: str) -> tuple[str, int]:
    for mark, encoding in _MARKS:
        if message.startswith(mark):
            return encoding, len(mark)
    for beginning, encoding in _WITHOUT_MARK:
        if message.startswith(beginning):
            return encoding, 0
    declared = _DECLARED.match(message)
    if declared is None:
        return otherwise, 0
    name = declared[1].decode("ascii").lower().replace("_", "-").replace("iso8859", "iso-8859")
    if name not in _KNOWN:
        wanted = "want an encoding of UTF-8, UTF-16, ISO 8859 or Windows-1250 to -1258"
        raise MessageRefused("line 1", wanted)
    # The declaration was readable byte by byte, so the text cannot be UTF-16 even if it says so.
    return _KNOWN[name] if not name.startswith("utf-16") else "utf-8", 0
