"""Tag: set and remove short words by which officers find cases again, as `late papers`.

Whoever sees a case sees its tags and may change them, also when it is closed. A tag says something
of a case; one that names an attribute of a person is refused, as a field of that name is.
"""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from features.persons import describes_a_person
from serving.access.actors import Actor
from serving.errors import Conflict, Unprocessable
from serving.language import say
from serving.review.acts.act_declaration import ActInput, ActRequest, CaseAct
from serving.review.cases.case_change import CaseChange, CaseEvent
from serving.review.cases.case_state import Case
from serving.review.cases.reviewer import Reviewer

if TYPE_CHECKING:
    from serving.review.cases.cases import Cases

# Tags that a case has at most.
MAX_TAGS = 12

# Characters of the longest tag, normalised.
MAX_TAG_LENGTH = 40

MAX_SUGGESTED_TAGS = 50


@dataclass(frozen=True)
class Tagging:
    """The tags that a case gets and those that it loses; a tag in both is lost."""

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


# A tag before it is normalised, which may make it shorter.
TagText = Annotated[str, Field(min_length=1, max_length=4 * MAX_TAG_LENGTH)]


class TaggingBody(ActInput):
    """The tags to set and the tags to remove: at least one."""

    add: list[TagText] = Field([], max_length=MAX_TAGS, examples=[["late papers"]])
    remove: list[TagText] = Field([], max_length=MAX_TAGS)

    def tagging(self) -> Tagging:
        """Return what the body states; raises Unprocessable for what is no tag."""
        return Tagging.from_texts(self.add, self.remove)


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
    if not tag or len(tag) > MAX_TAG_LENGTH:
        raise Unprocessable(
            say("a tag has at least one character and at most {longest}", longest=MAX_TAG_LENGTH)
        )
    is_seen = not any(unicodedata.category(symbol).startswith("C") for symbol in tag)
    if not is_seen or not any(map(str.isalnum, tag)):
        raise Unprocessable("write a tag in letters, digits and signs that can be seen")
    if describes_a_person(tag):
        raise Unprocessable("this tag would describe a person; no attribute of a person is kept")
    return tag


def tag(case: Case, actor: Actor, at: datetime, tagging: Tagging) -> CaseChange:
    """Set and remove tags. Raises Conflict."""
    tags = tagging.applied(case.tags)
    if len(tags) > MAX_TAGS:
        raise Conflict(
            say("a case has at most {most} tags: remove one that helps least", most=MAX_TAGS),
            code="too-many-tags",
        )
    changed: dict[str, tuple[object, object]] = {"tags": (case.tags, tags)}
    return replace(case, tags=tags), CaseEvent(case.case_id, at, actor, "tag", changed)


def tag_case(acting: ActRequest, tagging: Tagging) -> Case:
    """Set and remove tags of a case; a tagging that changes none leaves no event.

    Raises NotFound or Conflict.
    """
    cases = acting.cases
    row, case = cases.case(acting.reviewer, acting.case_id)
    if not cases.is_masked(row) and tagging.applied(case.tags) == case.tags:
        return case
    return acting.change(tag, tagging)


def tags_in_use(cases: "Cases", reviewer: Reviewer) -> list[str]:
    """Return tags of the newest cases that a reviewer may see, in order."""
    return cases.store.tags_in_use(reviewer.access, MAX_SUGGESTED_TAGS)


def _tags_of_form(form: Mapping[str, str], _: datetime) -> Mapping[str, Any]:
    return {name: [form[name]] for name in ("add", "remove") if form.get(name, "").strip()}


TAG = CaseAct(
    name="tags",
    operation="tag_one_case",
    description="""Set and remove tags of a case, open or closed: at most 12, of 40 characters each.

They are kept in small letters. One that would describe a person is refused.""",
    perform=lambda acting, body: tag_case(acting, body.tagging()),
    records=("tag",),
    input=TaggingBody,
    form_fields=_tags_of_form,
    revision="any",
    keeps_forms=True,
)
