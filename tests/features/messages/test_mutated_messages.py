"""A damaged message is read or refused, soon, and never ends in another error."""

import random
import time

import pytest

from features.errors import MessageRefused
from features.messages.formats import FORMATS, convert_message
from features.messages.redaction import redacted
from tests.conformance.trial_of_samples import OPTIONS, OWN, samples
from tests.counts import count
from tests.features.messages.mutated_messages import mutated

SAMPLES = [(name, file.name, file.read_bytes()) for name, file in samples(OWN)]
MAX_S = 1.0


@pytest.mark.faults
def test_a_damaged_message_is_read_or_refused_within_a_second() -> None:
    chance = random.Random(20261128)

    for _ in range(count(150, 20_000)):
        standard, name, message = chance.choice(SAMPLES)
        damaged = mutated(message, name, chance)
        begun, place = time.process_time(), "read"
        try:
            convert_message(standard, damaged, OPTIONS)
        except MessageRefused as refusal:
            place = refusal.place
        assert place
        assert time.process_time() - begun < MAX_S, (standard, name, len(damaged))


def test_random_bytes_are_refused_by_every_standard() -> None:
    chance = random.Random(7)

    for _ in range(20):
        noise = chance.randbytes(chance.randrange(400))
        for standard in {name for name, _, _ in SAMPLES}:
            with pytest.raises(MessageRefused):
                convert_message(standard, noise, OPTIONS)


@pytest.mark.faults
def test_what_is_read_of_a_damaged_message_is_kept_without_what_is_withheld() -> None:
    chance = random.Random(28)

    for _ in range(count(60, 5_000)):
        standard, name, message = chance.choice(SAMPLES)
        damaged = mutated(message, name, chance)
        try:
            conversion = convert_message(standard, damaged, OPTIONS)
        except MessageRefused:
            continue
        text = redacted(standard, damaged, conversion, OPTIONS.bounds).text
        located = FORMATS[standard].locate(damaged, OPTIONS.bounds)
        withheld = {each.place for each in conversion.withheld}
        used = {place for made in conversion.records for place in made.places.values()} - withheld
        kept = " ".join(
            located.text_in(each.span) for each in located.elements if each.place in used
        )
        for each in located.elements:
            secret = located.text_in(each.span)
            if each.place in withheld and len(secret) > 8 and secret not in kept:
                assert secret not in text, (standard, name, each.path)
