"""What the features of `features/families/declared_goods.py` make of small stories."""

import pytest

from tests.features.families.facts import Fact, check, each, shipment, table

shipments = table(shipment, globals())

FACTS = {
    "tare_ratio": shipments("""
        a tenth is packing | 0.1 | gross_mass_kg=1_000.0, net_mass_kg=900.0
        no packing at all | 0.0 | gross_mass_kg=1_000.0, net_mass_kg=1_000.0
        nothing but packing | 1.0 | gross_mass_kg=1_000.0, net_mass_kg=0.0
        net above gross is below zero | -0.25 | gross_mass_kg=800.0, net_mass_kg=1_000.0
        no gross mass | MISSING | net_mass_kg=900.0
        no net mass | MISSING | gross_mass_kg=1_000.0
        a gross mass of zero | MISSING | gross_mass_kg=0.0, net_mass_kg=900.0
    """),
    "density_kg_per_m3": shipments("""
        1,200 kg in 3 cubic metres | 1_200 / 3 | gross_mass_kg=1_200.0, volume_m3=3.0
        packing weighs too | 1_200 / 3 | gross_mass_kg=1_200.0, net_mass_kg=900.0, volume_m3=3.0
        nothing in 3 cubic metres | 0.0 | gross_mass_kg=0.0, volume_m3=3.0
        no mass | MISSING | volume_m3=3.0
        no gross mass | MISSING | net_mass_kg=900.0, volume_m3=3.0
        no volume | MISSING | gross_mass_kg=1_200.0
        a volume of zero | MISSING | gross_mass_kg=1_200.0, volume_m3=0.0
    """),
    "mass_per_package_kg": shipments("""
        1,000 kg in 40 packages | 1_000 / 40 | gross_mass_kg=1_000.0, packages=40
        packing weighs too | 1_000 / 40 | gross_mass_kg=1_000.0, net_mass_kg=900.0, packages=40
        one package | 1_000.0 | gross_mass_kg=1_000.0, packages=1
        no mass | MISSING | packages=40
        no gross mass | MISSING | net_mass_kg=900.0, packages=40
        no number of packages | MISSING | gross_mass_kg=1_000.0
        no packages, as of bulk | MISSING | gross_mass_kg=1_000.0, packages=0
    """),
    "mass_kg": shipments("""
        net where both are given | 900.0 | gross_mass_kg=1_000.0, net_mass_kg=900.0
        net where it is above gross | 900.0 | gross_mass_kg=800.0, net_mass_kg=900.0
        net alone | 900.0 | net_mass_kg=900.0
        gross where net is not given | 1_000.0 | gross_mass_kg=1_000.0
        gross where net is zero | 1_000.0 | gross_mass_kg=1_000.0, net_mass_kg=0.0
        less than a kilogram | 0.25 | net_mass_kg=0.25
        no mass was declared | MISSING
        a net mass of zero alone | MISSING | net_mass_kg=0.0
    """),
    "is_round_mass": shipments("""
        a round hundred | 1.0 | gross_mass_kg=100.0
        a multiple of a hundred | 1.0 | gross_mass_kg=1_200.0
        fifty over a hundred | 0.0 | gross_mass_kg=1_250.0
        a kilogram more | 0.0 | gross_mass_kg=1_201.0
        a gram less | 0.0 | gross_mass_kg=1_199.999
        under a hundred | 0.0 | gross_mass_kg=50.0
        nothing at all | 0.0 | gross_mass_kg=0.0
        round only net | 0.0 | gross_mass_kg=1_234.0, net_mass_kg=1_200.0
        no gross mass was declared | MISSING | net_mass_kg=1_200.0
    """),
    "is_container_number_valid": shipments("""
        the right check digit | 1.0 | container_number="CSQU3054383"
        the right one, in small letters | 1.0 | container_number="csqu 305438 3"
        a wrong check digit | 0.0 | container_number="CSQU3054384"
        two digits changed places | 0.0 | container_number="CSQU3045383"
        no number of a container at all | 0.0 | container_number="PALLET 7"
        no container was declared | MISSING
    """),
    "description_words_count": shipments("""
        a vague word | 1.0 | goods_description="parts"
        three words | 3.0 | goods_description="used  car parts "
        a comma parts no word from its own | 3.0 | goods_description="car parts, used"
        a word with a hyphen is one | 2.0 | goods_description="second-hand clothes"
        a dash is none | 3.0 | goods_description="car parts - used"
        a script without blanks | MISSING | goods_description="不锈钢厨房用具"
        a Thai one | MISSING | goods_description="เครื่องครัว"
        Korean has blanks | 2.0 | goods_description="주방 용품"
        Greek and Arabic have | 4.0 | goods_description="ηλεκτρικά είδη قطع غيار"
        nothing but blanks | 0.0 | goods_description="  "
        no description was given | MISSING
    """),
}


@pytest.mark.parametrize(("feature", "facts"), each(FACTS))
def test_a_feature_is_what_its_facts_say(feature: str, facts: list[Fact]) -> None:
    check(feature, facts)
