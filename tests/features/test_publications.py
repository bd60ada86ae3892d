"""What was read of the publications is told of those that features cite, and of no other."""

from datetime import date

from features import publications
from features.catalogue import features_by_name
from features.publications import passages

CITED = {(each.source, each.indicator) for each in features_by_name().values() if each.indicator}


def test_no_passage_is_told_of_what_no_feature_cites() -> None:
    assert sorted(pair for pair in passages() if pair not in CITED) == []


def test_a_passage_that_was_read_says_what_where_and_when() -> None:
    for pair, found in passages().items():
        assert (found.read_on is not None) == bool(found.passage), pair
        if found.read_on is not None:
            assert found.read_in, pair
            assert date(2026, 1, 1) <= found.read_on, pair


def test_practice_is_no_publication_and_has_no_passage() -> None:
    assert publications.PRACTICE not in {source for source, _ in passages()}
