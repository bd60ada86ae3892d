"""Up to which value goods pay little duty or none."""

import numpy as np

from features.reference.de_minimis import EU_MEMBERS, de_minimis_eur


def test_every_member_of_the_union_has_its_limit() -> None:
    assert len(EU_MEMBERS) == 27
    assert {de_minimis_eur(member) for member in EU_MEMBERS} == {150.0}


def test_a_country_without_a_limit_and_one_that_is_not_known_have_none() -> None:
    assert np.isnan(de_minimis_eur("US"))
    assert np.isnan(de_minimis_eur("EG"))
    assert de_minimis_eur("GB") == 155.0
