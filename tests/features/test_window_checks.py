"""Every window of the catalogue is held against its source before anything is computed."""

from dataclasses import replace

import pytest

from features import compiled_catalogue, window_checks
from features.catalogue import feature_named
from features.engine.windows.window_declaration import Window, count, largest, total
from features.errors import TidegateError
from features.history.online_store import history_windows
from features.records import SubjectKind
from features.window_checks import check_windows

KINDS: tuple[SubjectKind, ...] = ("route", "shipment")
HABIT = feature_named("consignee_shipments_30d")
WRONG: tuple[tuple[Window, str], ...] = (
    (count("shipment", by="consignee_id"), "no source 'shipment'; the nearest is 'shipments'"),
    (count("shipments", by="consigne_id"), "the nearest is 'consignee_id'"),
    (count("shipments", by="consignee_id", matching="consigne"), "the nearest is 'consignee_id'"),
    (total("shipments", "mas_g", by="consignee_id"), "the nearest is 'mass_g'"),
    (total("documents", "mass_exces_ppm", by="subject_id"), "nearest is 'mass_excess_ppm'"),
    (count("payments", by="consignee_id", matching="payer_id", where="is_kash"), "'is_cash'"),
    (largest("shipments", "mass_g", by="consignee_id"), "no largest value is kept of shipments"),
    (total("shipments", "journey_declared_cargo_mass_kg", by="consignee_id"), "part of the key"),
)


@pytest.fixture
def catalogue_of_one(monkeypatch: pytest.MonkeyPatch):
    """Put one window in the place of all others; nothing that was checked is remembered."""

    def put(window: Window) -> None:
        wrong = replace(HABIT, windows={"shipments": window})
        monkeypatch.setattr(
            window_checks, "features_of", lambda kind: (wrong,) * (kind == "shipment")
        )
        caches = (check_windows, compiled_catalogue.computation)
        for each in caches:
            each.cache_clear()

    yield put
    check_windows.cache_clear()
    compiled_catalogue.computation.cache_clear()


@pytest.mark.parametrize("kind", KINDS)
def test_every_window_of_the_catalogue_can_be_computed(kind: SubjectKind) -> None:
    check_windows(kind)


@pytest.mark.parametrize(("window", "mistake"), WRONG, ids=str)
def test_a_wrong_window_is_told_with_its_feature_before_anything_is_computed(
    window: Window, mistake: str, catalogue_of_one
) -> None:
    catalogue_of_one(window)
    for compute in (lambda: compiled_catalogue.computation("shipment"), history_windows):
        with pytest.raises(TidegateError, match=f"feature {HABIT.name}: .*{mistake}"):
            compute()
