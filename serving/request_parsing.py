"""From the bytes that arrived to a submission, or to a refusal that repeats none of them.

What one reader takes and another reads differently is refused before anything looks at the fields:
a key given twice, NaN and Infinity, numbers beyond a float, half a surrogate pair, a byte-order
mark, nesting without end.
"""

import json
import math
import re
from collections.abc import Iterator
from typing import Any, NoReturn

import orjson
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from features.persons import describes_a_person, why_refused
from features.submission import Submission
from serving.errors import BodyMalformed, RequestFault, SubmissionRefused

FIELD_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
NAMES = re.compile(rb'"[ \t\r\n]*:')
SPACED = re.compile(rb'"[ \t\r\n]')
LONGEST_INTEGER = 19  # digits, with the sign: more than any field takes, less than a float loses
LARGEST_PLAIN = 10 ** (LONGEST_INTEGER - 1)  # from here on an integer may have more


def read_submission(body: bytes) -> Submission:
    """The submission in a request's body or in a stored one.

    Raises BodyMalformed where it is not one unambiguous JSON object, SubmissionRefused where it is
    no subject that may be scored; both name fields and places, never a value.
    """
    if not _is_plain(body):
        read_json(body)
    try:
        return Submission.model_validate_json(body)
    except ValidationError as refusal:
        read_json(body)
        raise SubmissionRefused(
            "the submission breaks the schema of its records",
            tuple(fault_of(error) for error in refusal.errors(include_url=False)),
        ) from None


def split_array(body: bytes) -> list[bytes]:
    """The elements of a JSON array, each as the bytes that arrived; not yet checked themselves.

    Raises BodyMalformed where the body is no array.
    """
    try:
        return list(_elements(body.decode()))
    except (ValueError, RecursionError):
        raise BodyMalformed("the body is not a JSON array") from None


def read_json(body: bytes) -> Any:
    """The JSON document in `body`, where every reader would read the same."""
    try:
        orjson.loads(body)  # refuses all but what is named here, and says where
        return json.loads(
            body,
            object_pairs_hook=_object,
            parse_float=_float,
            parse_int=_integer,
            parse_constant=_refuse_constant,
        )
    except orjson.JSONDecodeError as refusal:
        raise BodyMalformed(f"not valid JSON at byte {refusal.pos}") from None
    except RecursionError:
        raise BodyMalformed("nested deeper than any record") from None


def _is_plain(body: bytes) -> bool:
    """Whether no two readers can read `body` differently; `read_json` says it of what is not plain.

    As many names as there are fields in what one reader kept: none was given twice. What looks like
    a name inside a text makes the counts differ, and is looked at more closely.
    """
    try:
        containers: list[Any] = [[orjson.loads(body)]]
    except orjson.JSONDecodeError:
        return False
    fields = 0
    for container in containers:  # grows while it is gone through
        if type(container) is dict:
            fields += len(container)
            container = container.values()  # noqa: PLW2901 - its values are gone through like items
        for value in container:
            kind = type(value)
            if kind is str or value is None:
                continue
            if kind is dict or kind is list:
                containers.append(value)
            elif kind is not bool and not -LARGEST_PLAIN < value < LARGEST_PLAIN:
                return False
    return fields == _names_in(body)


def _names_in(body: bytes) -> int:
    """How many names are in the text, and what looks like one."""
    if SPACED.search(body):
        return len(NAMES.findall(body))
    return body.count(b'":')


def _elements(text: str) -> Iterator[bytes]:
    decoder, at = json.JSONDecoder(), _after_space(text, 0)
    if text[at : at + 1] != "[":
        raise ValueError
    mark, at = "[", _after_space(text, at + 1)
    if text[at : at + 1] == "]":
        mark, at = "]", _after_space(text, at + 1)
    while mark != "]":
        _, end = decoder.raw_decode(text, at)
        yield text[at:end].encode()
        at = _after_space(text, end)
        mark = text[at : at + 1]
        if mark not in {",", "]"}:
            raise ValueError
        at = _after_space(text, at + 1)
    if at != len(text):
        raise ValueError


def _after_space(text: str, at: int) -> int:
    while text[at : at + 1] in {" ", "\t", "\n", "\r"}:
        at += 1
    return at


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
    if len(text) > LONGEST_INTEGER:
        raise BodyMalformed("a number has too many digits")
    return int(text)


def _refuse_constant(_: str) -> NoReturn:
    raise BodyMalformed("NaN and Infinity are not numbers")


def fault_of(error: ErrorDetails, within: str = "") -> RequestFault:
    """A validation error without what was validated; `within` points to where that stood."""
    pointer = within + "".join(f"/{part}" for part in error["loc"])
    if error["type"] == "extra_forbidden":
        field = str(error["loc"][-1])
        code = "person_field" if describes_a_person(field) else "unknown_field"
        return RequestFault(pointer, code, why_refused(field))
    return RequestFault(pointer, error["type"], error["msg"])
