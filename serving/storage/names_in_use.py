"""Names in use or used before, of any kind: a new one must not resemble any of them."""

from sqlalchemy import Connection, select

from serving.access.names import require_free, require_name
from serving.storage.tables.access import accounts, api_keys
from serving.storage.tables.review import teams


def names_ever(connection: Connection) -> list[str]:
    """Return every name of an account, a key or a team, including ended ones."""
    named = [select(table.c.name) for table in (accounts, api_keys, teams)]
    query = named[0].union(*named[1:]).order_by("name")
    return [*connection.scalars(query)]


def require_new_name(connection: Connection, name: str) -> None:
    """Raise Unprocessable or NameTaken unless a new account, key or team may have the name.

    Call it in the transaction that writes the name: of two at once, the second sees the first.
    """
    require_free(require_name(name), names_ever(connection))
