import pytest

from features.persons import describes_a_person, person_fields
from features.records import RECORD_FILES


@pytest.mark.parametrize(
    "field",
    [
        "name",
        "driver_name",
        "Nationality",
        "dateOfBirth",
        "date_of_birth",
        "DOB",
        "sex",
        "religion",
        "ethnicity",
        "passport_number",
        "travelDocumentNumber",
        "phone",
        "e-mail_email",
        "fingerprint_hash",
        "preferred_language",
        "mrz",
    ],
)
def test_a_field_about_a_person_is_recognised_however_it_is_written(field: str) -> None:
    assert describes_a_person(field)


def test_no_field_of_any_record_describes_a_person() -> None:
    fields = [field for record in RECORD_FILES.values() for field in record.model_fields]

    assert person_fields(fields) == []


def test_a_count_of_people_on_board_is_about_the_craft() -> None:
    assert not describes_a_person("persons_on_board")
    assert describes_a_person("persons_on_board_names")
