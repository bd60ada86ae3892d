"""Answers of a deprecated call say when it ends, and what takes its place."""

from datetime import UTC, datetime

from fastapi import Depends, FastAPI, Response
from fastapi.testclient import TestClient

from serving.observability import Metrics
from serving.web.deprecation import Deprecated
from serving.web.request_ids import RequestIds


def test_a_deprecated_call_says_since_when_until_when_and_what_instead() -> None:
    app = FastAPI()
    app.add_middleware(RequestIds, metrics=Metrics())
    ends = Deprecated(datetime(2027, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC), "/new")

    @app.get("/old", deprecated=True, dependencies=[Depends(ends)])
    def old() -> Response:
        return Response("still here")

    answer = TestClient(app).get("/old")

    assert answer.headers["Deprecation"] == "@1798761600"
    assert answer.headers["Sunset"] == "Sat, 01 Jan 2028 00:00:00 GMT"
    assert answer.headers["Link"] == '</new>; rel="successor-version"'
    assert app.openapi()["paths"]["/old"]["get"]["deprecated"] is True
