"""Rotations of the keys of tokens and of draws that are killed at any of their calls.

Whoever opens the home next finds one key in use, by which all is found that was named before.
"""

import os
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from features.home_keys import DRAWS, KEY_FILES, SUBJECTS, former_keys, key_fingerprint, read_key
from serving.access.pseudonyms import Pseudonyms
from serving.audit.logged_decision import StoredAnswer
from serving.audit.masking import Masking
from serving.crypto.prefix_codes import prefix_code
from serving.review.cases.cases import Cases
from serving.review.search.search_terms import normalised
from serving.storage.binding import bound_keys
from serving.storage.engine import open_database
from serving.storage.keys.data_keys import DataKeys
from serving.storage.keys.key_rotation import rotate_key
from serving.storage.keys.token_keys import search_key_of
from serving.storage.repositories.case_file_repository import CaseFileRepository
from serving.storage.repositories.case_repository import CaseRepository
from serving.storage.repositories.decision_repository import DecisionRepository
from serving.storage.repositories.retention_repository import RetentionRepository
from serving.storage.search_index import TERM_PART
from serving.storage.tables.review import case_terms
from serving.storage.tables.scoring import decisions
from serving.triage.control_draws import DrawGenerator
from tests.faults.test_killed_commands import acts_in, is_whole, killed_often, leftovers
from tests.serving.bodies import shipment
from tests.serving.conftest import NOW
from tests.serving.review.cases.decisions import decision
from tests.serving.storage.test_backup import BY
from tests.serving.storage.test_rotated_subjects import decided


def open_a_case(engine: Engine) -> None:
    """A decision about `S-old`, and its case, which is found by what it names."""
    log, names = DecisionRepository(engine), Pseudonyms(b"of this test")
    masking = Masking(RetentionRepository(engine), DataKeys(engine), names)
    made = decision(shipment(shipment_id="S-old"), decision_id="d-1")
    log.append(
        [(made.logged(), StoredAnswer("c", "k", "digest", "d-1", made.logged().scored_at, b""))]
    )
    files, store = CaseFileRepository(engine), CaseRepository(engine)
    Cases(store, files, log, lambda *_: None, masking).open_new()


def require_found(engine: Engine, keys: Path) -> None:
    """The case is found by what it names, under the key in use and no other."""
    search_key, data_keys = search_key_of(read_key(keys, SUBJECTS)), DataKeys(engine)
    with engine.connect() as connection:
        rows = connection.execute(select(case_terms)).all()
    assert len(rows) > 2
    for row in rows:
        value = data_keys.decrypt_text(row.case_id, TERM_PART, row.encrypted_value)
        assert row.code == prefix_code(search_key, normalised(value or ""))


@pytest.mark.faults
@pytest.mark.parametrize("name", [SUBJECTS, DRAWS])
def test_a_rotation_that_is_killed_leaves_one_key_by_which_all_is_found(
    tmp_path: Path, name: str
) -> None:
    home = tmp_path / "home"
    file, keys = home / "tidegate.db", home / "keys"
    engine = open_database(file, is_service=False)
    open_a_case(engine)
    with engine.connect() as connection:
        token_at_first = connection.scalar(select(decisions.c.subject_id))
    engine.dispose()
    first_seed = key_fingerprint(DRAWS, read_key(keys, DRAWS))
    draws = DrawGenerator.from_folder(keys).of_subject("shipment", "S-old")

    def act() -> None:
        engine = open_database(file, is_service=False)
        rotate_key(engine, keys, name, BY, at=NOW, overlap=timedelta(0))
        engine.dispose()

    def look() -> None:
        engine = open_database(file, is_service=False)
        log = DecisionRepository(engine)
        log.append([decided(log.size() + 1, "S-old")])
        with engine.connect() as connection:
            (token,) = connection.scalars(select(decisions.c.subject_id).distinct())
            known = [each for each in bound_keys(connection) if each.name == name]
        assert len(log.about("shipment", "S-old")) == log.size()
        assert token == token_at_first
        require_found(engine, keys)
        (in_use,) = [each for each in known if each.retires_at is None]
        assert in_use.fingerprint == key_fingerprint(name, read_key(keys, name))
        assert len(former_keys(keys, name)) == len(known) - 1 == acts_in(home, "rotate_key")
        again = DrawGenerator.from_folder(keys, lambda *_: first_seed)
        assert again.of_subject("shipment", "S-old").control == draws.control
        engine.dispose()
        assert is_whole(home)

    times = killed_often(act, look, f"{KEY_FILES[name]}.next", KEY_FILES[name])

    look()
    assert times >= 2
    assert leftovers(home)  # secrets: the next rotation removes them once nobody can be at it
    for left in keys.rglob(".*"):
        os.utime(left, (0, 0))
    act()
    look()
    assert leftovers(home) == set()
