"""Every field that a subject type names is a column of its subjects."""

import pytest

from features.catalogue import features_of
from features.derived.subject import record_kinds, subject_kinds
from features.records import RECORD_FILES, SubjectKind
from features.subject_types import SUBJECT_TYPES

KINDS = [*SUBJECT_TYPES]


@pytest.mark.parametrize("kind", KINDS)
def test_a_subject_type_names_columns_that_its_subjects_have(kind: SubjectKind) -> None:
    subject_type = SUBJECT_TYPES[kind]
    named = {
        subject_type.operator_field,
        subject_type.mode_field,
        subject_type.due_field,
        *subject_type.documents_valid_until,
        *subject_type.corridor_fields,
        *subject_type.party_fields,
        *subject_type.country_fields,
        *subject_type.end_country_fields,
    }

    assert named - subject_kinds(kind).keys() == set()
    assert subject_type.id_field in record_kinds(kind)


@pytest.mark.parametrize("kind", KINDS)
def test_a_subject_type_reads_the_file_of_its_own_record(kind: SubjectKind) -> None:
    subject_type = SUBJECT_TYPES[kind]

    assert subject_type.kind == kind
    assert RECORD_FILES[subject_type.record_file] is subject_type.record


@pytest.mark.parametrize("kind", KINDS)
def test_the_experience_of_an_operator_is_a_feature_of_the_subject_type(kind: SubjectKind) -> None:
    assert SUBJECT_TYPES[kind].experience_feature in {f.name for f in features_of(kind)}
