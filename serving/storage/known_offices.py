"""The offices known to an installation."""

from serving.storage.repositories.account_repository import AccountRepository
from serving.storage.repositories.api_key_repository import ApiKeyRepository
from serving.storage.repositories.case_repository import CaseRepository
from serving.triage.triage_plan import TriagePlan


def known_offices(
    accounts: AccountRepository, api_keys: ApiKeyRepository, cases: CaseRepository, plan: TriagePlan
) -> set[str]:
    """Return the offices in the plan, accounts, keys, decisions and cases."""
    named = {office for holder in accounts.all() for office in holder.offices}
    named |= {office for key in api_keys.all() for office in key.offices}
    return named.union(cases.offices(), plan.offices)
