"""Commands that are killed at any of their calls to files or databases, and then run again.

Nothing is half-done in between, nothing is lost, and the next run goes on to the end.
"""

import shutil
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import func, select

from serving.cli.promote import _claimed
from serving.settings import Settings
from serving.storage.backup.backup_writer import write_backup
from serving.storage.backup.home_restore import RestoreRequest, restore_home
from serving.storage.engine import open_database
from serving.storage.tables.audit import audit_events
from serving.storage.verification.audit_verification import verify_audit_log
from serving.storage.verification.log_verification import verify_decision_log
from tests.counts import count, in_full_alone
from tests.kills import is_killed_at, is_killed_before
from tests.serving.cli.test_retrain import EXPERIMENT, run
from tests.serving.conftest import NOW
from tests.serving.postgres import Server
from tests.serving.storage.test_backup import BY
from tests.serving.world import write_world
from tests.training.planted import INPUTS
from tests.training.registry.conftest import candidates, data, store, trained
from tests.training.registry.promotions import FIRST, NAME, NOON, champion_in, versions
from training.data.training_set import TrainingSet
from training.model.model_home import ModelHome
from training.registry.mlflow.store import TrackingStore
from training.registry.promotion import promote_version, roll_back

__all__ = ["candidates", "data", "store", "trained"]

IS_FULL = count(False, True)
GROWTH = 1.02
"""By how much later the next kill is, in full."""


def killed_often(act: Callable[[], object], look: Callable[[], None], *places: str) -> int:
    """Kill an act, again and again, and look after each. Then it has run; how often.

    In full at ever later calls; else just before what has these names takes its place.
    """
    for times, kill in enumerate(kills(act, places)):
        if not kill():
            return times
        look()
    act()
    return len(places)


def kills(act: Callable[[], object], places: Sequence[str]) -> Iterator[Callable[[], bool]]:
    if not IS_FULL:
        yield from (partial(is_killed_before, name, act) for name in places)
        return
    number = 1
    while True:
        yield partial(is_killed_at, number, act)
        number = max(number + 1, int(number * GROWTH))


def leftovers(folder: Path) -> set[str]:
    """What is half-written, or of somebody who was killed."""
    return {str(each.relative_to(folder)) for each in folder.rglob(".*")}


def is_whole(home: Path, database: str | None = None) -> bool:
    engine = open_database(database or home / "tidegate.db", is_service=False, keys=home / "keys")
    whole = verify_decision_log(engine).is_whole and verify_audit_log(engine).is_whole
    engine.dispose()
    return whole


def acts_in(home: Path, action: str) -> int:
    engine = open_database(home / "tidegate.db", is_service=False)
    with engine.connect() as connection:
        counted = select(func.count()).where(audit_events.c.action == action)
        found = connection.scalar(counted) or 0
    engine.dispose()
    return found


@in_full_alone
@pytest.mark.faults
def test_a_retraining_that_is_killed_leaves_the_former_challenger_and_goes_when_run_again(
    tmp_path: Path,
) -> None:
    home = tmp_path / "home"
    write_world(home / "records")
    (home / "small.toml").write_text(EXPERIMENT)
    open_database(home / "tidegate.db", is_service=False).dispose()
    models = ModelHome(home)

    def act() -> None:
        run(
            *("retrain", "--subject", "shipment", "--home", home, "--trainer", "ada", "--json"),
            *("--experiment", home / "small.toml"),
        )

    def look() -> None:
        assert is_whole(home)
        if pointer := models.pointer(NAME, "challenger"):
            folder = models.folder_of(NAME, pointer.version)
            assert models.registration_of(folder).digest == pointer.digest

    if not IS_FULL:
        TrackingStore.open(home)  # else made once for each kill, which takes longest of all
    times = killed_often(act, look, "challenger.json")

    look()
    assert times >= 1
    assert models.pointer(NAME, "challenger") is not None
    assert TrainingSet.read(home / "training_sets" / "shipment", "shipment")
    assert leftovers(home) == set()


@pytest.mark.faults
def test_a_promotion_that_is_killed_leaves_one_champion_and_goes_when_run_again(
    trained: ModelHome, store: TrackingStore, data: TrainingSet, tmp_path: Path
) -> None:
    home = ModelHome(Path(shutil.copytree(trained.home, tmp_path / "home")))
    open_database(home.home / "tidegate.db", is_service=False).dispose()
    settings = Settings(home=home.home)
    first, second = versions(home)

    def look() -> None:
        assert is_whole(home.home)
        if champion := home.champion_pointer(NAME):
            folder = home.folder_of(NAME, champion.version)
            assert home.registration_of(folder).digest == champion.digest

    def promoted(version: str) -> Callable[[], object]:
        approval = _claimed("promote", "grace", settings, NOON)
        reference = f"{NAME}/{version}"
        return lambda: promote_version(reference, home, store, approval, data, INPUTS, FIRST)

    times = killed_often(promoted(first), look, "champion.json")
    times += killed_often(promoted(second), look, "champion.json")
    assert champion_in(store) == home.champion_pointer(NAME).version == second  # type: ignore[union-attr]  # it is there

    back = _claimed("roll_back", "grace", settings, NOON)
    rolled_back = partial(roll_back, NAME, home, store, back, INPUTS)
    times += killed_often(rolled_back, look, "champion.json")

    assert champion_in(store) == home.champion_pointer(NAME).version == first  # type: ignore[union-attr]  # it is there
    assert acts_in(home.home, "promote") >= 2
    assert times >= 3
    assert leftovers(home.home) == set()


@pytest.mark.faults
def test_a_restore_to_postgresql_that_is_killed_says_what_to_drop_and_goes_when_run_again(
    tmp_path: Path, postgres: Server
) -> None:
    home, new, archive = tmp_path / "home", tmp_path / "new", tmp_path / "backup.tgz"
    open_database(home / "tidegate.db", is_service=False).dispose()
    write_backup(Settings(home=home), archive, BY, NOW)
    urls = [postgres.new_database()]

    def act() -> None:
        settings = Settings(home=new, database_url=urls[-1])
        restore_home(archive, settings, RestoreRequest(BY, "a drill", NOW))

    def look() -> None:
        assert not new.exists() or is_whole(new, urls[-1])
        shutil.rmtree(new, ignore_errors=True)
        urls.append(postgres.new_database())

    killed_often(act, look, "database.json", "new")

    assert is_whole(new, urls[-1])
    assert leftovers(tmp_path) == set()
