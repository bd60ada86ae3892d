"""Streams between a broker and a service: what comes in leads to one decision, and is told of."""

from pathlib import Path

from tests.clients.conftest import Site
from tests.serving.streams.conftest import Ways, body, running, settings_for, wait_for


def test_each_message_is_one_decision_and_one_answer(
    ways: Ways, site: Site, properties: Path
) -> None:
    before = site.services.decisions.size()
    ways.send(*(body(n, ways.name) for n in range(20)))

    with running(ways.plan, settings_for(site, properties)):
        wait_for(lambda: len(ways.answers()) == 20)

    assert site.services.decisions.size() == before + 20
    told = {document["subject_id"]: document["decision_id"] for _, document in ways.answers()}
    assert set(told) == {f"{ways.name}-{n}" for n in range(20)}
    assert len(set(told.values())) == 20
    assert ways.done() == 20
    assert ways.letters() == []
