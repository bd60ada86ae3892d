"""What a file of a case is: told by its content alone, with a name that hides nothing."""

import hashlib

import pytest

from serving.errors import BodyTooLarge, MediaTypeUnsupported, Unprocessable
from serving.review.attachments import AttachedFile

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
        sha256, "a.exe", media_type, len(content)
    )


@pytest.mark.parametrize(
    "content",
    [b"", b"MZ\x90\x00", b"a\x00", b"a\x0b", b"a\x1f", b"a\x7f", "a\x9f".encode(), b"\xff\xfea"],
)
def test_what_is_neither_a_picture_a_pdf_nor_plain_text_is_refused(content: bytes) -> None:
    with pytest.raises(MediaTypeUnsupported, match="attach PDF, PNG, JPEG, TIFF or plain text"):
        AttachedFile.from_upload("a.txt", content, 100)


def test_a_file_may_have_so_many_bytes_and_no_more() -> None:
    assert AttachedFile.from_upload("a.txt", b"x" * 100, 100).size_bytes == 100
    with pytest.raises(BodyTooLarge, match="a file may have 100 bytes"):
        AttachedFile.from_upload("a.txt", b"x" * 101, 100)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("list.pdf", "list.pdf"),
        (" list.pdf ", "list.pdf"),
        ("/etc/list.pdf", "list.pdf"),
        ("C:\\files\\list.pdf", "list.pdf"),
        ("a\x00b\u202ec\u2066.pdf", "abc.pdf"),
        ("x" * 120, "x" * 120),
        ("y" + "x" * 120, "x" * 120),
    ],
)
def test_a_name_is_its_last_part_without_what_hides_how_it_ends(name: str, kept: str) -> None:
    assert AttachedFile.from_upload(name, b"x", 100).name == kept


@pytest.mark.parametrize("name", ["", "  ", "\x00", "list.pdf/"])
def test_a_file_without_a_name_is_refused(name: str) -> None:
    with pytest.raises(Unprocessable, match="a file needs a name"):
        AttachedFile.from_upload(name, b"x", 100)
