"""What a file of a case is: told by its content alone, with a name that hides nothing."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.errors import BodyTooLarge, MediaTypeUnsupported, Unprocessable
from serving.review.acts.attachments import ENDINGS, AttachedFile, named_after

TEXT = "text/plain; charset=utf-8"


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (b"%PDF-1.7", "application/pdf"),
        (b"\x89PNG\r\n\x1a\n\x00", "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"II*\x00\x01", "image/tiff"),
        (b"MM\x00*\x01", "image/tiff"),
        (b"a\tb\r\nc\n", TEXT),
        ("Größe €".encode(), TEXT),
        (b"x%PDF-", TEXT),
    ],
)
def test_a_file_is_what_its_content_begins_with(content: bytes, media_type: str) -> None:
    sha256 = hashlib.sha256(content).hexdigest()

    assert AttachedFile.from_upload("a.exe", content, 100) == AttachedFile(
        sha256, f"a{ENDINGS[media_type]}", media_type, len(content)
    )


@pytest.mark.parametrize(
    "content",
    [b"MZ\x90\x00", b"a\x00", b"a\x0b", b"a\x1f", b"a\x7f", "a\x9f".encode(), b"\xff\xfea"],
)
def test_what_is_neither_a_picture_a_pdf_nor_plain_text_is_refused(content: bytes) -> None:
    with pytest.raises(MediaTypeUnsupported, match="attach PDF, PNG, JPEG, TIFF or plain text"):
        AttachedFile.from_upload("a.txt", content, 100)


def test_an_empty_file_is_refused_as_empty() -> None:
    with pytest.raises(Unprocessable, match="the file is empty"):
        AttachedFile.from_upload("a.txt", b"", 100)


def test_a_file_may_have_so_many_bytes_and_no_more() -> None:
    assert AttachedFile.from_upload("a.txt", b"x" * 100, 100).size_bytes == 100
    with pytest.raises(BodyTooLarge, match="a file may have 100 bytes"):
        AttachedFile.from_upload("a.txt", b"x" * 101, 100)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("list.pdf", "list.txt"),
        (" list.pdf ", "list.txt"),
        ("/etc/list.pdf", "list.txt"),
        ("C:\\files\\list.pdf", "list.txt"),
        ("a\x00b\u202ec\u2066.pdf", "abc.txt"),
        ("x" * 116, "x" * 116 + ".txt"),
        ("y" + "x" * 120, "y" + "x" * 115 + ".txt"),
        *(
            (f"run{ending}", "run.txt")
            for ending in (".bat", ".BAT", ".html", ".svg", ".js", ".lnk")
        ),
        *((f"invoice{ending}", "invoice.txt") for ending in (".pdf.exe", ".txt.scr", ".a.b.c")),
        *(
            (f"run{ending}", "run.txt")
            for ending in (".exe ", ".exe.", ". exe", ".exe\u200b", ".exe . ")
        ),
        ("run\uff0eexe", "run.txt"),
        ("run\u2024exe", "run.txt"),
        ("\u202etxt.exe", "txt.txt"),
        (".htaccess", "htaccess.txt"),
        ("..", "file.txt"),
        (".bat", "bat.txt"),
        ("2026.11.24", "2026-11-24.txt"),
        ("v1.2 of a list", "v1-2 of a list.txt"),
        ("archive.7z", "archive-7z.txt"),
        ("NUL", "_NUL.txt"),
        ("com1.pdf", "_com1.txt"),
        ('a"b\r\nSet-Cookie: x', "a_b Set-Cookie_ x.txt"),
        ("a;b%00$(c)`d`&e", "a_b_00_(c)_d__e.txt"),
        ("a\n\tb  c.md", "a b c.txt"),
        ("Größe €.doc", "Größe €.txt"),
    ],
)
def test_a_name_is_its_last_part_under_the_ending_of_what_the_file_is(name: str, kept: str) -> None:
    assert AttachedFile.from_upload(name, b"x", 100).name == kept
    assert named_after(kept, TEXT) == kept


@given(st.text(max_size=200), st.sampled_from(sorted(ENDINGS)))
def test_every_name_has_one_ending_and_nothing_that_a_header_or_shell_reads(
    name: str, media_type: str
) -> None:
    try:
        kept = named_after(name, media_type)
    except (MediaTypeUnsupported, Unprocessable):
        return
    assert kept.endswith(ENDINGS[media_type])
    assert kept.count(".") == 1
    assert kept.isprintable()
    assert len(kept) <= 120
    assert not set(kept) & set('<>:"|?*;%`$&\\/')
    assert named_after(kept, media_type) == kept


@pytest.mark.parametrize("name", ["", "  ", "\x00", "list.pdf/"])
def test_a_file_without_a_name_is_refused(name: str) -> None:
    with pytest.raises(Unprocessable, match="a file needs a name"):
        AttachedFile.from_upload(name, b"x", 100)
