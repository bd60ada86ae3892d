"""What the features of `features/families/consistency.py` make of small stories."""

import pytest

from tests.features.families.facts import MISSING, Fact, check, each, shipment

FACTS = {
    "tare_ratio": [
        shipment("a tenth is packing", 0.1, gross_mass_kg=1_000.0, net_mass_kg=900.0),
        shipment("no packing at all", 0.0, gross_mass_kg=1_000.0, net_mass_kg=1_000.0),
        shipment("net above gross is below zero", -0.25, gross_mass_kg=800.0, net_mass_kg=1_000.0),
        shipment("no gross mass", MISSING, net_mass_kg=900.0),
        shipment("no net mass", MISSING, gross_mass_kg=1_000.0),
    ],
}


@pytest.mark.parametrize(("feature", "fact"), each(FACTS))
def test_a_feature_is_what_its_facts_say(feature: str, fact: Fact) -> None:
    check(feature, fact)
