"""Tags: short words by which officers find cases again, as `late papers` or `operation north`.

Whoever sees a case sees its tags and may change them, also when it is closed. A tag says something
of a case; one that names an attribute of a person is refused, as a field of that name is.
"""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from features.persons import describes_a_person
from serving.access.actors import Actor
from serving.errors import Unprocessable
from serving.language import say
from serving.review.cases.case_change import CaseChange, CaseEvent
from serving.review.cases.case_state import Case
from serving.review.cases.cases import Cases
from serving.review.cases.reviewer import Reviewer
from serving.review.errors import TooManyTags

MOST_TAGS = 12
"""Tags that a case has at most."""

LONGEST_TAG = 40
"""Characters of the longest tag, normalised."""

MOST_SUGGESTED = 50


@dataclass(frozen=True)
class Tagging:
    """Which tags a case gets, and which it loses; a tag in both is lost."""

    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()

    @classmethod
    def from_texts(cls, add: Iterable[str] = (), remove: Iterable[str] = ()) -> "Tagging":
        """A tagging as somebody wrote it, which says something; raises Unprocessable."""
        tagging = cls(tuple(map(checked_tag, add)), tuple(map(normalised_tag, remove)))
        if not (tagging.add or tagging.remove):
            raise Unprocessable("name a tag to set or to remove")
        return tagging

    def applied(self, tags: tuple[str, ...]) -> tuple[str, ...]:
        """The tags of a case after it, in the order in which they were set."""
        return tuple(each for each in dict.fromkeys((*tags, *self.add)) if each not in self.remove)


def normalised_tag(text: str) -> str:
    """A text as tags are compared and shown: NFKC, small letters, one blank between words.

    >>> normalised_tag("  Late\\u00a0PAPERS ")
    'late papers'
    """
    small = unicodedata.normalize("NFKC", text).lower()
    return " ".join(unicodedata.normalize("NFKC", small).split())


def checked_tag(text: str) -> str:
    """A tag as it is kept; raises Unprocessable for what is none."""
    tag = normalised_tag(text)
    if not tag or len(tag) > LONGEST_TAG:
        raise Unprocessable(
            say("a tag has at least one character and at most {longest}", longest=LONGEST_TAG)
        )
    is_seen = not any(unicodedata.category(symbol).startswith("C") for symbol in tag)
    if not is_seen or not any(map(str.isalnum, tag)):
        raise Unprocessable("write a tag in letters, digits and signs that can be seen")
    if describes_a_person(tag):
        raise Unprocessable("this tag would describe a person; no attribute of a person is kept")
    return tag


def tag(case: Case, actor: Actor, at: datetime, tagging: Tagging) -> CaseChange:
    """Set and remove tags. Raises TooManyTags."""
    tags = tagging.applied(case.tags)
    if len(tags) > MOST_TAGS:
        raise TooManyTags(
            say("a case has at most {most} tags: remove one that helps least", most=MOST_TAGS)
        )
    changed: dict[str, tuple[object, object]] = {"tags": (case.tags, tags)}
    return replace(case, tags=tags), CaseEvent(case.case_id, at, actor, "tag", changed)


def tag_case(
    cases: Cases, reviewer: Reviewer, case_id: str, at: datetime, tagging: Tagging
) -> Case:
    """Set and remove tags of a case; what changes none of them leaves no event.

    Raises NotFound or TooManyTags.
    """
    row, case = cases.case(reviewer, case_id)
    if not cases.is_masked(row) and tagging.applied(case.tags) == case.tags:
        return case
    return cases.act(reviewer, case_id, lambda now: tag(now, reviewer.actor, at, tagging))


def tags_in_use(cases: Cases, reviewer: Reviewer) -> list[str]:
    """Tags of the newest cases that a reviewer may see, in order."""
    return cases.store.tags_in_use(reviewer.access, MOST_SUGGESTED)
