"""A damaged message is read or refused, soon, and never ends in another error."""

import random
import time

import pytest

from features.errors import MessageRefused
from features.messages.formats import read_message
from tests.conformance.trial_of_samples import OPTIONS, OWN, samples
from tests.counts import count
from tests.features.messages.mutated_messages import mutated

SAMPLES = [(name, file.name, file.read_bytes()) for name, file in samples(OWN)]
LONGEST_S = 1.0


@pytest.mark.faults
def test_a_damaged_message_is_read_or_refused_within_a_second() -> None:
    chance = random.Random(20261128)

    for _ in range(count(150, 20_000)):
        standard, name, message = chance.choice(SAMPLES)
        damaged = mutated(message, name, chance)
        begun, place = time.process_time(), "read"
        try:
            read_message(standard, damaged, OPTIONS)
        except MessageRefused as refusal:
            place = refusal.place
        assert place
        assert time.process_time() - begun < LONGEST_S, (standard, name, len(damaged))


def test_random_bytes_are_refused_by_every_standard() -> None:
    chance = random.Random(7)

    for _ in range(20):
        noise = chance.randbytes(chance.randrange(400))
        for standard in {name for name, _, _ in SAMPLES}:
            with pytest.raises(MessageRefused):
                read_message(standard, noise, OPTIONS)
