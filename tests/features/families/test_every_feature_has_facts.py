"""No feature without a table of facts: the place to write them is named by what fails."""

import importlib

import pytest

from features.catalogue import features_by_name
from features.definition import Feature
from tests.features.families.facts import Fact

FEATURES = list(features_by_name().values())


def facts_of(feature: Feature) -> list[Fact]:
    try:
        module = importlib.import_module(f"tests.features.families.test_{feature.family}")
    except ModuleNotFoundError:
        return []
    return [*module.FACTS.get(feature.name, ())]


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
def test_a_feature_has_facts_of_every_kind(feature: Feature) -> None:
    facts = facts_of(feature)
    table = f"FACTS[{feature.name!r}] in tests/features/families/test_{feature.family}.py"

    assert len({fact.expected for fact in facts}) >= 2, f"{table}: want what tells values apart"
    assert {fact.kind for fact in facts} == {*feature.subjects}, f"{table}: want each subject kind"
    if not feature.when_missing.startswith("never"):
        assert None in {fact.expected for fact in facts}, f"{table}: want {feature.when_missing}"
