"""Triton's own client, and KServe's, against `/v2`."""

import json
from typing import Any

import httpx2
import numpy as np
import pytest
from tritonclient.http import (
    InferenceServerClient,
    InferenceServerException,
    InferInput,
    InferRequestedOutput,
)

from tests.clients.conftest import Site

MODEL = "tidegate-shipment"


@pytest.fixture(scope="module")
def client(site: Site) -> InferenceServerClient:
    return InferenceServerClient(site.host, connection_timeout=60, network_timeout=60)


def inputs_of(vector: dict[str, Any], *, is_binary: bool, rows: int = 2) -> list[InferInput]:
    inputs = []
    for name, value in vector.items():
        is_text = isinstance(value, str)
        one = InferInput(name, [rows, 1], "BYTES" if is_text else "FP64")
        shown = value if is_text else np.nan if value is None else value
        array = np.array([[shown]] * rows, dtype=object if is_text else np.float64)
        one.set_data_from_numpy(array, binary_data=is_binary)
        inputs.append(one)
    return inputs


@pytest.mark.parametrize("is_binary", [True, False])
@pytest.mark.parametrize("compression", [None, "gzip", "deflate"])
def test_triton_infers_with_nan_as_missing(
    site: Site,
    client: InferenceServerClient,
    decided: dict[str, Any],
    vector: dict[str, Any],
    is_binary: bool,
    compression: str | None,
) -> None:
    assert None in vector.values()

    result = client.infer(
        MODEL,
        inputs_of(vector, is_binary=is_binary),
        headers=site.headers("infer"),
        request_compression_algorithm=compression,
        response_compression_algorithm=compression,
        parameters={"model_name": "mine"},
    )

    assert result.as_numpy("probability").tolist() == [decided["probability"]] * 2


@pytest.mark.parametrize("is_binary", [True, False])
def test_triton_gets_the_outputs_it_asks_for(
    site: Site,
    client: InferenceServerClient,
    decided: dict[str, Any],
    vector: dict[str, Any],
    is_binary: bool,
) -> None:
    names = ("log_odds", "contributions")
    result = client.infer(
        MODEL,
        inputs_of(vector, is_binary=True),
        model_version="1",
        request_id="r-1",
        outputs=[InferRequestedOutput(name, binary_data=is_binary) for name in names],
        headers=site.headers("infer", "explain"),
    )

    parts = [each["contribution"] for each in decided["contributions"]]
    assert result.as_numpy("log_odds").tolist() == [decided["log_odds"]] * 2
    assert result.as_numpy("contributions").tolist() == [parts] * 2
    assert result.get_response()["id"] == "r-1"


def test_triton_reads_health_and_metadata(
    site: Site, client: InferenceServerClient, vector: dict[str, Any]
) -> None:
    headers = site.headers("infer")

    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready(MODEL, headers=headers)
    assert not client.is_model_ready(MODEL, "2", headers=headers)
    assert client.get_server_metadata(headers)["name"] == "tidegate"
    told = client.get_model_metadata(MODEL, headers=headers)
    assert [each["name"] for each in told["inputs"]] == list(vector)


def test_triton_reads_why_it_is_refused(
    site: Site, client: InferenceServerClient, vector: dict[str, Any]
) -> None:
    some = inputs_of(vector, is_binary=True)[1:]

    with pytest.raises(InferenceServerException, match=f"needs the feature {next(iter(vector))}"):
        client.infer(MODEL, some, headers=site.headers("infer"))
    with pytest.raises(InferenceServerException, match="no model of that name"):
        client.infer("another", some, headers=site.headers("infer"))
    with pytest.raises(InferenceServerException, match="live API key"):
        client.infer(MODEL, some)


# What `InferenceRESTClient.infer` of kserve 0.21 sends, which pins versions that the project
# does not: `InferRequest.to_rest()` as JSON, or behind it the bytes of arrays that are binary.
def kserve_request(vector: dict[str, Any], *, is_binary: bool) -> tuple[bytes, dict[str, str]]:
    inputs, behind = [], []
    for name, value in vector.items():
        is_text = isinstance(value, str)
        each = {"name": name, "shape": [1], "datatype": "BYTES" if is_text else "FP64"}
        if is_binary:
            raw = (
                len(value).to_bytes(4, "little") + value.encode()
                if is_text
                else np.array([np.nan if value is None else value]).tobytes()
            )
            behind.append(raw)
            each["parameters"] = {"binary_data_size": len(raw)}
        else:
            each["data"] = [value]  # orjson writes NaN as null
        inputs.append(each)
    told = {"id": "2f1c", "model_name": MODEL, "inputs": inputs}
    content = json.dumps(told, separators=(",", ":")).encode()
    if not is_binary:
        return content, {"content-type": "application/json"}
    length = {"inference-header-content-length": str(len(content))}
    return b"".join([content, *behind]), length | {"content-type": "application/octet-stream"}


@pytest.mark.parametrize("is_binary", [True, False])
def test_what_kserve_sends_is_inferred(
    site: Site, decided: dict[str, Any], vector: dict[str, Any], is_binary: bool
) -> None:
    content, headers = kserve_request(vector, is_binary=is_binary)

    answer = httpx2.post(
        f"{site.address}/v2/models/{MODEL}/infer",
        content=content,
        headers=site.headers("infer") | headers,
    ).json()

    assert answer["outputs"][0]["data"] == [decided["probability"]]
    assert (answer["id"], answer["model_name"]) == ("2f1c", MODEL)
