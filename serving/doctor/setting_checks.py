"""Checks of settings and the files that they name."""

import shlex
import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from features.errors import TidegateError
from serving.access.oidc import Provider
from serving.access.published_keys import PublishedKeys
from serving.audit.retention_periods import Periods
from serving.package_extras import CheckResult
from serving.review.letters.remedies import Remedies
from serving.review.rescue.rescue_calls import RescueDirectory
from serving.review.rescue.rescue_centres import RescueCentres
from serving.settings import Settings


def retention(file: Path) -> CheckResult:
    """Check that retention periods are set."""
    if not file.exists():
        says = "no periods are set, so nothing ends; `tidegate init retention` writes them"
        return CheckResult("retention", "doubtful", says)
    try:
        periods = Periods.read(file)
    except TidegateError as refusal:
        return CheckResult("retention", "wrong", str(refusal))
    limits = periods.decisions
    says = f"masked after {limits.mask_after_days} days, erased after {limits.erase_after_days}"
    return CheckResult("retention", "good", says)


def letters(file: Path) -> CheckResult:
    """Check that letters can be written."""
    try:
        Remedies.read(file)
    except TidegateError as refusal:
        return CheckResult("letters", "doubtful", f"none can be written: {refusal}")
    return CheckResult("letters", "good", "name who answers and where to contest")


def check_rescue_centres(settings: Settings) -> CheckResult:
    """Check that someone is called when lives are at risk, over two media."""
    file = settings.rescue_centres
    if not file.exists():
        says = "nobody is called when lives are at risk; live use needs HOME/rescue.toml"
        if settings.rescue_webhook:
            says = "one webhook is called when lives are at risk; live use needs HOME/rescue.toml"
        return CheckResult("rescue centres", "doubtful", says)
    try:
        directory = RescueDirectory(RescueCentres.read(file), **settings.rescue_secrets)
    except TidegateError as refusal:
        return CheckResult("rescue centres", "wrong", str(refusal))
    # The file contains secrets of the calls.
    if file.stat().st_mode & 0o077:
        says = f"others can read it, with its secrets; chmod 600 {file}"
        return CheckResult("rescue centres", "wrong", says)
    alone = [each.name for each in directory.centres.centres if not each.has_second_medium]
    if alone:
        says = f"{alone[0]!r} is called over one medium; want an address by HTTPS and one by mail"
        return CheckResult("rescue centres", "doubtful", says)
    minutes = directory.centres.acknowledge_within_minutes
    says = f"{len(directory.centres.centres)} centres; a call goes on after {minutes:g} minutes"
    return CheckResult("rescue centres", "good", says)


def access_tokens(settings: Settings) -> Iterator[CheckResult]:
    """Check that the keys for access tokens can be read."""
    if settings.token_keys is not None:
        has_keys = PublishedKeys(settings.token_keys).current() is not None
        says = "the key set can be read" if has_keys else "the key set cannot be read"
        yield CheckResult("access tokens", "good" if has_keys else "wrong", says)


def organisation(settings: Settings, now: datetime) -> Iterator[CheckResult]:
    """Check that the identity provider answers and browsers can return from it."""
    what, issuer = "sign-in with an organisation", settings.oidc_issuer
    if issuer is None:
        return
    try:
        provider = Provider(issuer, settings.oidc_client_id, None, "", "", lambda: now)
        provider.require_published()
    except TidegateError as error:
        yield CheckResult(what, "wrong", f"{issuer}: {error}")
        return
    if settings.known_hosts.is_open:
        says = "works at this machine's own names only; set TIDEGATE_PUBLIC_ADDRESS"
        yield CheckResult(what, "doubtful", says)
    else:
        yield CheckResult(what, "good", f"{issuer} says where it is asked, and its keys")


def attachment_scanner(settings: Settings) -> Iterator[CheckResult]:
    """Check that attached files are scanned."""
    command = settings.attachment_scanner
    if command is None:
        return
    try:
        is_there = shutil.which(shlex.split(command)[0]) is not None
    except (ValueError, IndexError):
        is_there = False
    says = "every file is looked at" if is_there else "the command cannot be run; no file is kept"
    yield CheckResult("attachment scanner", "good" if is_there else "wrong", says)
