import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from stdnum import iso6346

from synthetic.chance import chance, mixed, picked, share
from synthetic.containers import container_numbers
from synthetic.spelling import decimal, hexadecimal, texts

numbers = st.lists(st.integers(0, 2**62), min_size=1, max_size=50)


@given(st.integers(0, 2**32), st.integers(0, 1000))
def test_a_stream_depends_on_its_seed_topic_and_place_alone(seed, place):
    first = chance(seed, "a", place).random(4)
    assert (first == chance(seed, "a", place).random(4)).all()
    assert (first != chance(seed, "b", place).random(4)).any()
    assert (first != chance(seed, "a", place + 1).random(4)).any()
    assert (first != chance(seed + 1, "a", place).random(4)).any()


def test_lasting_traits_are_spread_evenly():
    traits = share(7, np.arange(100_000))
    assert np.abs(np.histogram(traits, 20, (0, 1))[0] / 5_000 - 1).max() < 0.1


@given(numbers)
def test_different_parts_give_different_words(values):
    distinct = np.unique(np.array(values))
    assert len(np.unique(mixed(3, distinct))) == len(distinct)


@given(st.lists(st.floats(0.01, 1), min_size=1, max_size=9), st.floats(0, 1, exclude_max=True))
def test_a_weight_of_nothing_is_never_picked(weights, at):
    padded = np.array([0.0, *weights, 0.0])
    assert padded[picked(padded, np.array([at]))[0]] > 0


@given(numbers)
def test_spelling_agrees_with_python(values):
    array = np.array(values, dtype=np.int64)
    assert texts("a-", decimal(array, 9)).to_pylist() == [f"a-{v % 10**9:09d}" for v in values]
    words = array.view(np.uint64)
    assert texts(hexadecimal(words)).to_pylist() == [f"{v:016x}" for v in values]


@given(st.lists(st.booleans(), min_size=1, max_size=30))
def test_a_text_is_null_exactly_where_it_should_be(where):
    spelt = texts(decimal(np.arange(len(where)), 3), where=np.array(where))
    assert [text is not None for text in spelt.to_pylist()] == where
    spelt.validate(full=True)


@given(st.lists(st.booleans(), min_size=1, max_size=40), st.integers(0, 10**6))
def test_a_check_digit_fails_exactly_where_an_error_is_planted(wrong, first):
    is_wrong = np.array(wrong)
    everywhere = np.ones(len(wrong), dtype=bool)
    box = first + np.arange(len(wrong))
    spelt = container_numbers(7, box, is_wrong=is_wrong, where=everywhere)
    assert [not iso6346.is_valid(text) for text in spelt.to_pylist()] == wrong
