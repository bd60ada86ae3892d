"""Relocation of a home's tracking store: MLflow stores absolute paths in its database.

Without it, training in a copy of a home would write into the original.
"""

from pathlib import Path
from typing import Any

ARTIFACTS = "mlartifacts"

_PLACES = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "storage_location"),
    ("model_versions", "source"),
)
_FORMER = (
    "SELECT DISTINCT artifact_location FROM experiments "
    "WHERE artifact_location LIKE 'file:///%/mlartifacts' AND artifact_location <> ?"
)
# MLflow creates a default experiment, whose files go to the current working folder.
_DEFAULT = (
    "UPDATE experiments SET artifact_location = ? "
    "WHERE experiment_id = 0 AND artifact_location LIKE '%/mlruns/0'"
)


def follow_home(store: Any, home: Path) -> None:
    """Rewrite all paths in MLflow's SQLite store that point into an earlier location of `home`.

    `home` is absolute. Other paths stay, except that of the default experiment: its future runs are
    stored in the home too.
    """
    now = home.as_uri()
    with store.engine.begin() as connection:
        connection.exec_driver_sql(_DEFAULT, (f"{now}/{ARTIFACTS}",))
    with store.engine.connect() as connection:
        former = connection.exec_driver_sql(_FORMER, (f"{now}/{ARTIFACTS}",)).scalars().all()
    for place in former:
        _lead(store, place.removesuffix(f"/{ARTIFACTS}"), now)


def _lead(store: Any, former: str, now: str) -> None:
    """Replace a path prefix in all tables in one transaction."""
    with store.engine.begin() as connection:
        for table, column in _PLACES:
            connection.exec_driver_sql(
                f"UPDATE {table} SET {column} = ? || substr({column}, ?) "  # noqa: S608  # own names
                f"WHERE substr({column}, 1, ?) = ?",
                (now, len(former) + 1, len(former) + 1, f"{former}/"),
            )
        connection.exec_driver_sql(
            "UPDATE datasets SET dataset_source = replace(dataset_source, ?, ?)",
            (f'"{former}/', f'"{now}/'),
        )
