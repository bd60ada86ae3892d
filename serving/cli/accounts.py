"""`tidegate accounts`: people who sign in to the console, and their keys for approvals."""

from typing import Any

import typer

from serving.cli.admin_commands import command_of, command_of_choice
from serving.cli.opened_home import CommandOutput, OpenedHome, on_home

accounts = typer.Typer(help="Accounts of people: create, list, change.", no_args_is_help=True)

accounts.command("create")(command_of("create_account"))
accounts.command("change")(
    command_of_choice(
        "change",
        "Change an account in one way: role and offices, password, second factor, sessions, "
        "approval key, or whether it may be used.",
        *("change_account", "disable_account", "enable_account", "reset_password"),
        *("reset_second_factor", "end_sessions", "register_approval_key", "end_approval_key"),
    )
)


@accounts.command("list")
@on_home
def list_accounts(at: OpenedHome) -> CommandOutput:
    """Show every account's name, role, offices and state, and its approval key."""
    # Lists of people are personal data, so reading them is recorded.
    at.record_reading("list", "accounts")
    approval_keys = at.stores.approvals.keys()
    # An account has at most one valid key; revoked ones stay on record.
    keys = {key.account: key for key in approval_keys if key.revoked_at is None}
    document: list[dict[str, Any]] = []
    lines = []
    for account in at.stores.accounts.all():
        key = keys.get(account.name)
        is_live = account.disabled_at is None
        document.append(
            {
                "name": account.name,
                "role": account.role,
                "offices": account.offices,
                "is_live": is_live,
                "approval_key": key
                and {
                    "key_id": key.key_id,
                    "registered_at": key.registered_at,
                    "registered_by": key.registered_by,
                },
            }
        )
        state, offices = "live" if is_live else "ended", ",".join(account.offices) or "all offices"
        registered = f"  approval key {key.key_id}" if key else ""
        lines.append(f"{state:<5}  {account.role:<14}  {offices:<20}  {account.name}{registered}")
    return CommandOutput(document, lines)
