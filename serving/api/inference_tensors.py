"""Tensors of the Open Inference Protocol: values in JSON, or as bytes behind it.

Bytes come as the protocol's binary tensor extension has them: `Inference-Header-Content-Length`
says where the JSON ends, and each tensor how many bytes behind it are its own. A feature is missing
where a number is null or NaN, or a text is empty.
"""

from collections.abc import Iterator
from itertools import chain
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import ConfigDict, FailFast, Field

from features.records import NullIsAbsent
from serving.errors import BodyMalformed, SubmissionRefused
from serving.scoring.vectors import is_nan

Datatype = Literal["FP64", "BYTES"]
TakenDatatype = Literal[
    "BOOL",
    "INT8",
    "INT16",
    "INT32",
    "INT64",
    "UINT8",
    "UINT16",
    "UINT32",
    "UINT64",
    "FP16",
    "FP32",
    "FP64",
    "BYTES",
]

_IN_MEMORY = {
    "BOOL": "?",
    **{f"INT{8 * size}": f"<i{size}" for size in (1, 2, 4, 8)},
    **{f"UINT{8 * size}": f"<u{size}" for size in (1, 2, 4, 8)},
    **{f"FP{8 * size}": f"<f{size}" for size in (2, 4, 8)},
}
_LENGTH = 4  # bytes that say how long a text is
_LONGEST_NUMBER = 20  # digits


class _Told(NullIsAbsent):
    """Base of what the protocol's clients send: extensions add fields, which say nothing here."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=True)


class RequestInput(_Told):
    """One feature of every vector; null or NaN where it is missing."""

    name: Annotated[str, Field(max_length=64)]
    datatype: TakenDatatype
    shape: Annotated[list[int], FailFast(), Field(max_length=2)]
    data: list[Any] | None = Field(None, description="None where its values are behind the JSON.")
    parameters: dict[str, Any] = Field(
        default_factory=dict, description="`binary_data_size`: its bytes behind the JSON."
    )


class RequestOutput(_Told):
    """An output that is asked for."""

    name: Annotated[str, Field(max_length=64)]
    parameters: dict[str, Any] = Field(
        default_factory=dict, description="`binary_data`: whether its values come behind the JSON."
    )


class InferenceRequest(_Told):
    """Feature vectors, a tensor per feature."""

    id: Annotated[str, Field(max_length=64, pattern=r"^[A-Za-z0-9._:/-]*$")] | None = None
    inputs: Annotated[list[RequestInput], FailFast()]
    outputs: Annotated[tuple[RequestOutput, ...], FailFast()] = ()
    parameters: dict[str, Any] = Field(
        default_factory=dict,
        description="`binary_data_output`: whether outputs come behind the JSON that do not say.",
    )

    def is_binary(self, output: str) -> bool:
        """Whether the values of an output are to come behind the JSON."""
        by_default = self.parameters.get("binary_data_output", False)
        asked = {each.name: each.parameters.get("binary_data", by_default) for each in self.outputs}
        return asked.get(output, by_default) is True


def split_body(body: bytes, json_length: str | None) -> tuple[bytes, bytes]:
    """The JSON of a body, and the bytes behind it; raises BodyMalformed."""
    if json_length is None:
        return body, b""
    is_number = json_length.isdecimal() and len(json_length) <= _LONGEST_NUMBER
    if not is_number or (length := int(json_length)) > len(body):
        raise BodyMalformed("Inference-Header-Content-Length is no part of the body's length")
    return body[:length], body[length:]


def columns_of(inputs: list[RequestInput], behind: bytes) -> dict[str, list[Any]]:
    """The values of each feature, None where missing; raises SubmissionRefused or BodyMalformed."""
    columns: dict[str, list[Any]] = {}
    for each in inputs:
        if each.name in columns:
            raise SubmissionRefused("an input is given twice")
        if each.data is None:
            size = each.parameters.get("binary_data_size")
            if type(size) is not int or not 0 <= size <= len(behind):
                raise BodyMalformed("an input has no data, nor that many bytes behind the JSON")
            values, behind = _values_in(each.datatype, behind[:size]), behind[size:]
        else:
            values = _unnested(each)
        if each.shape not in ([len(values)], [len(values), 1]):
            raise SubmissionRefused("want inputs of the shape [n] or [n, 1] with n values")
        columns[each.name] = [_known(each.datatype, value) for value in values]
    if behind:
        raise BodyMalformed("bytes behind the JSON belong to no input")
    return columns


def _unnested(tensor: RequestInput) -> list[Any]:
    """The values in JSON, which may be nested as the shape says."""
    data = tensor.data or []
    is_nested = len(tensor.shape) == 2 and all(type(row) is list for row in data)
    return list(chain.from_iterable(data)) if is_nested else data


def _known(datatype: str, value: Any) -> Any:
    """A value, or None for what stands for a missing one."""
    is_missing = value == "" if datatype == "BYTES" else is_nan(value)
    return None if is_missing else value


def _values_in(datatype: str, raw: bytes) -> list[Any]:
    if datatype == "BYTES":
        return list(_texts_in(raw))
    try:
        return np.frombuffer(raw, _IN_MEMORY[datatype]).tolist()
    except ValueError:
        raise BodyMalformed("the bytes of an input are no whole number of values") from None


def _texts_in(raw: bytes) -> Iterator[str]:
    at = 0
    while at < len(raw):
        end = at + _LENGTH + int.from_bytes(raw[at : at + _LENGTH], "little")
        if at + _LENGTH > len(raw) or end > len(raw):
            raise BodyMalformed("a text of an input is longer than its bytes")
        try:
            yield raw[at + _LENGTH : end].decode()
        except UnicodeDecodeError:
            raise BodyMalformed("a text of an input is not UTF-8") from None
        at = end


def bytes_of(values: list[float]) -> bytes:
    """Numbers as they stand behind the JSON of an answer."""
    return np.array(values, _IN_MEMORY["FP64"]).tobytes()
