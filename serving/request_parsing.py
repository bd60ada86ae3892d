"""Parse the bytes of a request into a submission, or refuse them without repeating any.

Anything that two parsers could read differently is refused before any field is examined: duplicate
keys, NaN and Infinity, numbers beyond a float, unpaired surrogates, NUL, a byte-order mark,
unbounded nesting. Limits are enforced before parsing or validation: values are counted in the
bytes, and records before any of them is validated.
"""

import codecs
import json
import math
import re
from collections.abc import Iterator
from typing import Any, NoReturn

import numpy as np
import orjson
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from features.errors import in_own_words
from features.linked_records import LINKED_RECORD_TYPES
from features.persons import describes_a_person, why_refused
from features.subject_types import SUBJECT_TYPES
from features.submission import Submission
from serving.errors import BodyMalformed, BodyTooLarge, RequestFault, SubmissionRefused

FIELD_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
NAMES = re.compile(rb'"[ \t\r\n]*:')
SPACED = re.compile(rb'"[ \t\r\n]')
_SPACE = re.compile(rb"[ \t\r\n]+")
# Digits including the sign: more than any field accepts. Parsers that read a longer number as a
# float would lose some of them.
MAX_INTEGER_DIGITS = 19
MAX_PLAIN = 10 ** (MAX_INTEGER_DIGITS - 1)  # larger integers may have too many digits
NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")  # PostgreSQL cannot store NUL in a text
MAX_FAULTS = 50  # reported per body

# More than the largest legitimate body has: 5,000 records, or 1,000 vectors of every feature.
MAX_VALUES = 300_000
MAX_VALUES_OF_A_SUBJECT = 120_000
MAX_FIELDS = 128  # in one object of a submission
MAX_LINKED = [
    (each.path_in_submission, each.most_in_submission) for each in LINKED_RECORD_TYPES.values()
]

_VALUE_MARKS = (b",", b"[", b"{")  # a value begins after each
_BEGINS_A_VALUE = np.isin(np.arange(256), [ord(mark) for mark in _VALUE_MARKS])
_FIRST_WINDOW = 16 * 1024  # bytes to search first for the end of an element


def read_submission(body: bytes) -> Submission:
    """Parse the submission in a request's body, or in a stored one.

    Raises BodyMalformed if it is not one unambiguous JSON object, and SubmissionRefused if it is no
    subject that may be scored; both name fields and places, never a value.
    """
    _refuse_many_values(body, MAX_VALUES_OF_A_SUBJECT)
    # The fast check comes first; the strict parser reads only bodies that fail it.
    if not _is_plain(body):
        _refuse_many_linked(read_json(body, MAX_VALUES_OF_A_SUBJECT))
    try:
        submission = Submission.model_validate_json(body)
    except ValidationError as refusal:
        # If the JSON itself is ambiguous, report that rather than a broken schema.
        read_json(body, MAX_VALUES_OF_A_SUBJECT)
        raise SubmissionRefused(
            "the submission breaks the schema of its records", faults_of(refusal)
        ) from None
    _refuse_untimely(submission)
    return submission


def _refuse_untimely(submission: Submission) -> None:
    """Refuse a withdrawn declaration, or a version not yet known at the scoring instant."""
    subject = submission.subject
    if subject.withdrawn:
        field = f"/{SUBJECT_TYPES[submission.subject_kind].submission_field}/withdrawn"
        why = "what was withdrawn is not scored: send it by POST /v1/records"
        raise SubmissionRefused(
            "the declaration was withdrawn", (RequestFault(field, "withdrawn", why),)
        )
    known_at = subject.known_at
    if subject.version > 1 and known_at is not None and submission.scoring_instant <= known_at:
        why = f"send `as_of`, an instant after {known_at.isoformat()}, its `known_at`"
        raise SubmissionRefused(
            "the version was not yet known", (RequestFault("/as_of", "not_yet_known", why),)
        )


def split_array(body: bytes, most: int, most_bytes: int) -> list[bytes]:
    """Split a JSON array into the original bytes of its elements, which are not yet validated.

    Raises BodyMalformed if the body is no array, and BodyTooLarge as soon as there are more than
    `most` elements, or one larger than `most_bytes`.
    """
    elements: list[bytes] = []
    try:
        for element in _elements(body, most_bytes):
            if len(elements) == most:
                raise BodyTooLarge(f"a batch may hold {most} subjects")
            elements.append(element)
    except (ValueError, RecursionError):
        raise BodyMalformed("the body is not a JSON array") from None
    return elements


def read_json(body: bytes, most_values: int = MAX_VALUES, *, is_nan_taken: bool = False) -> Any:
    """Parse a JSON document, refusing anything that another parser could read differently.

    With `is_nan_taken` the word NaN is a number, as clients of other servers write missing values.
    """
    _refuse_many_values(body, most_values)
    if NUL.search(body):
        raise BodyMalformed("a text has the character NUL")
    try:
        # orjson is strict and reports the position of an error, but has no NaN; the hooks below
        # catch what it accepts, such as duplicate keys.
        orjson.loads(body.replace(b"NaN", b"0") if is_nan_taken else body)
        return json.loads(
            body,
            object_pairs_hook=_object,
            parse_float=_float,
            parse_int=_integer,
            parse_constant=_nan_alone if is_nan_taken else _refuse_constant,
        )
    except orjson.JSONDecodeError as refusal:
        raise BodyMalformed(_why_not_json(body, refusal.pos)) from None
    except ValueError:
        raise BodyMalformed("not valid JSON") from None
    except RecursionError:
        raise BodyMalformed("nested deeper than any record") from None


def _why_not_json(body: bytes, place: int) -> str:
    if body.startswith(codecs.BOM_UTF8):
        return "begins with a byte order mark: send it without"
    try:
        body.decode()
    except UnicodeDecodeError as refusal:
        return f"not UTF-8 at byte {refusal.start}"
    return f"not valid JSON at byte {place}"


def _is_plain(body: bytes) -> bool:
    """Return True if no two parsers can read `body` differently; `read_json` explains the others.

    The number of names in the text is compared with the number of parsed fields: equal counts mean
    that no key was duplicated. Text that looks like a name makes the counts differ, which only
    leads to the slower check.
    """
    if b"\\u0000" in body:
        return False
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return False
    _refuse_many_linked(document)
    return _fields_in(document) == _names_in(body)


def _fields_in(document: Any) -> int:
    """Return the number of fields of all objects; -1 if an integer has too many digits.

    Raises SubmissionRefused for an object with more fields than any record.
    """
    containers: list[Any] = [[document]]
    fields = 0
    for container in containers:  # grows during iteration
        if type(container) is dict:
            if len(container) > MAX_FIELDS:
                raise SubmissionRefused(f"an object may have {MAX_FIELDS} fields")
            fields += len(container)
            container = container.values()  # noqa: PLW2901 - iterate values like list items
        for value in container:
            kind = type(value)
            if kind is str or value is None:
                continue
            if kind is dict or kind is list:
                containers.append(value)
            elif kind is not bool and not -MAX_PLAIN < value < MAX_PLAIN:
                return -1
    return fields


def _names_in(body: bytes) -> int:
    """Return the number of names in the text, including text that looks like a name."""
    if SPACED.search(body):
        return len(NAMES.findall(body))
    return body.count(b'":')


def _refuse_many_values(body: bytes, most: int) -> None:
    """Raise BodyTooLarge if the body has more than `most` values."""
    if len(body) > most and sum(body.count(mark) for mark in _VALUE_MARKS) > most:
        raise BodyTooLarge(f"a body of this kind may hold {most} values")


def _refuse_many_linked(document: Any) -> None:
    """Raise SubmissionRefused if a type has more records than a submission may contain."""
    for path, most in MAX_LINKED:
        records = document
        for part in path:
            records = records.get(part) if type(records) is dict else None
        if type(records) is list and len(records) > most:
            pointer = "".join(f"/{part}" for part in path)
            fault = RequestFault(pointer, "too_long", f"there may be {most}")
            raise SubmissionRefused("the submission brings too many records", (fault,))


def _elements(body: bytes, most_bytes: int) -> Iterator[bytes]:
    at = _after_space(body, 0)
    if body[at : at + 1] != b"[":
        raise ValueError
    mark, at = b"[", _after_space(body, at + 1)
    if body[at : at + 1] == b"]":
        mark, at = b"]", _after_space(body, at + 1)
    while mark != b"]":
        element = _element_at(body, at, most_bytes)
        yield element
        at = _after_space(body, at + len(element))
        mark = body[at : at + 1]
        if mark not in {b",", b"]"}:
            raise ValueError
        at = _after_space(body, at + 1)
    if at != len(body):
        raise ValueError


def _element_at(body: bytes, at: int, most_bytes: int) -> bytes:
    """Return the element at an offset, parsing in a window that grows up to `most_bytes`.

    The window is also limited to the values of one subject: parsing holds the interpreter lock, and
    no other thread runs meanwhile.
    """
    largest = most_bytes + 1  # an element that needs the whole window is too large
    window = min(_FIRST_WINDOW, largest)
    while True:
        if (of_values := _end_of_values(body, at, window)) < window:
            window = largest = of_values
        is_rest = at + window >= len(body)
        text = codecs.getincrementaldecoder("utf-8")().decode(body[at : at + window], is_rest)
        try:
            _, end = json.JSONDecoder().raw_decode(text)
        except ValueError:
            end = len(text)
            if is_rest:
                raise
        if is_rest or end < len(text):  # a number at the end of the window may continue after it
            return text[:end].encode()
        if window == largest:
            raise BodyTooLarge(
                f"a subject of a batch may have {most_bytes} bytes and "
                f"{MAX_VALUES_OF_A_SUBJECT} values"
            )
        window = min(window * 8, largest)


def _end_of_values(body: bytes, at: int, size: int) -> int:
    """Return the length, up to `size`, within which one value too many begins; else `size`."""
    if size <= MAX_VALUES_OF_A_SUBJECT:
        return size
    window = np.frombuffer(body[at : at + size], np.uint8)
    begins = np.flatnonzero(_BEGINS_A_VALUE[window])
    has_more = len(begins) > MAX_VALUES_OF_A_SUBJECT
    return int(begins[MAX_VALUES_OF_A_SUBJECT]) + 1 if has_more else size


def _after_space(body: bytes, at: int) -> int:
    space = _SPACE.match(body, at)
    return space.end() if space else at


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read: dict[str, Any] = {}
    for name, value in pairs:
        if not FIELD_NAME.fullmatch(name):
            raise SubmissionRefused(
                "a field name is not made of letters, digits, hyphens and underscores"
            )
        if name in read:
            raise BodyMalformed(f"the field {name} is given twice in one object")
        read[name] = value
    return read


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise BodyMalformed("a number is too large")
    return number


def _integer(text: str) -> int:
    if len(text) > MAX_INTEGER_DIGITS:
        raise BodyMalformed("a number has too many digits")
    return int(text)


def _nan_alone(constant: str) -> float:
    return math.nan if constant == "NaN" else _refuse_constant(constant)


def _refuse_constant(_: str) -> NoReturn:
    raise BodyMalformed("NaN and Infinity are not numbers")


def faults_of(refusal: ValidationError, within: str = "") -> tuple[RequestFault, ...]:
    """Return the first faults of a document, without the validated values."""
    errors = refusal.errors(include_url=False, include_input=False)
    return tuple(fault_of(error, within) for error in errors[:MAX_FAULTS])


def fault_of(error: ErrorDetails, within: str = "") -> RequestFault:
    """Convert a validation error, without the value; `within` is the pointer to the document."""
    pointer = within + "".join(f"/{part}" for part in error["loc"])
    if error["type"] == "extra_forbidden":
        return unknown_field(pointer, str(error["loc"][-1]))
    return RequestFault(pointer, error["type"], in_own_words(error["msg"]))


def unknown_field(pointer: str, field: str) -> RequestFault:
    """Return the fault of an unknown field, which explains a refusal of personal data."""
    code = "person_field" if describes_a_person(field) else "unknown_field"
    return RequestFault(pointer, code, why_refused(field))
