"""The names that somebody has or had, of whatever kind: no new one may look like any of them."""

from sqlalchemy import Connection, select

from serving.access.names import require_free, require_name
from serving.db.tables import accounts, api_keys


def names_ever(connection: Connection) -> list[str]:
    """Every name of an account or a key, ended and revoked ones too."""
    query = select(accounts.c.name).union(select(api_keys.c.name)).order_by("name")
    return [*connection.scalars(query)]


def require_new_name(connection: Connection, name: str) -> None:
    """Raise NameRefused or NameTaken unless a new account or key may have the name.

    In the transaction that writes it, so that of two at once the second sees the first.
    """
    require_free(require_name(name), names_ever(connection))
