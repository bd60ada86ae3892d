"""Which offices a home knows, for commands that name one."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from serving.cli.output import messages


def offices_of(engine: Any, home: Path) -> set[str]:
    """The offices that the database or the plan of the lanes of a home knows."""
    from serving.settings import settings_of
    from serving.storage.known_offices import known_offices
    from serving.storage.repositories.account_repository import AccountRepository
    from serving.storage.repositories.api_key_repository import ApiKeyRepository
    from serving.storage.repositories.case_repository import CaseRepository
    from serving.triage.triage_plan import TriagePlan

    stores = AccountRepository(engine), ApiKeyRepository(engine), CaseRepository(engine)
    return known_offices(*stores, TriagePlan.read(settings_of(home, None).plan))


def tell_new_offices(engine: Any, home: Path, office_ids: Iterable[str]) -> None:
    """Say of each office that was not known so far which one is nearest: it may be misspelt."""
    from serving.access.office_ids import nearest_name

    wanted = set(office_ids)
    known = offices_of(engine, home) if wanted else set()
    for office_id in sorted(wanted - known):
        near = nearest_name(office_id, known)
        if near is not None:
            messages.print(
                f"The office {office_id} was not known here so far; the nearest one is {near}.",
                markup=False,
            )
