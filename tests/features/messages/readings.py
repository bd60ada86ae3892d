"""Messages read as tests need them: by the samples of our own, changed where a test says so."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from features.messages.conversion import Conversion
from features.messages.formats import convert_message
from features.messages.id_templates import id_template
from features.messages.options import Options
from tests.conformance.trial_of_samples import OWN

RECEIVED = datetime(2026, 12, 1, 8, tzinfo=UTC)
OPTIONS = Options(key=b"k" * 32, received_at=RECEIVED, shipment_pattern=id_template("AC{digits}"))


def sample(name: str) -> bytes:
    return (OWN / name).read_bytes()


def read(name: str, *changes: tuple[str, str], **options: Any) -> Conversion:
    """A sample of our own, by `standard/file`, with texts in place of others."""
    message = sample(name)
    for before, after in changes:
        assert before.encode() in message, before
        message = message.replace(before.encode(), after.encode())
    return convert_message(name.partition("/")[0], message, replace(OPTIONS, **options))


def fields(conversion: Conversion, record_type: str, number: int = 0) -> dict[str, Any]:
    """The fields of one of the records of a type."""
    return [each for each in conversion.records if each.record_type == record_type][number].fields


def reasons(conversion: Conversion, record_type: str) -> set[str]:
    """Why records of a type could not be made."""
    refused = [each for each in conversion.refused if each.record_type == record_type]
    return {reason for each in refused for reason in each.reasons}
