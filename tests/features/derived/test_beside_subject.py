"""What a program over linked records reads of the record, and what of its subject."""

from features.derived.beside_subject import SubjectColumn, subject_key
from features.engine.columns import Kind
from features.engine.expressions.trace import Mapped


def test_what_is_read_of_the_subject_goes_by_the_subjects_own_name() -> None:
    of_record, of_subject = (
        Mapped(key, str.upper, Kind.TEXT) for key in ("hs_code", SubjectColumn("hs_code"))
    )

    assert subject_key(SubjectColumn("gross_mass_kg")) == "gross_mass_kg"
    assert subject_key(of_subject) == of_record
    assert subject_key("gross_mass_kg") is None
    assert subject_key(of_record) is None
