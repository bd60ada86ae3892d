"""Tag: set and remove short labels by which officers find cases, such as `late papers`.

Anyone who sees a case sees its tags and may change them, even when it is closed. A tag describes a
case; one that names an attribute of a person is refused, like a field of that name.
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

# Limit of tags on one case.
MAX_TAGS = 12

# Limit of characters of a normalised tag.
MAX_TAG_LENGTH = 40

MAX_SUGGESTED_TAGS = 50


@dataclass(frozen=True)
class Tagging:
    """The tags to set and the tags to remove; a tag in both is removed."""

    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()

    @classmethod
    def from_texts(cls, add: Iterable[str] = (), remove: Iterable[str] = ()) -> "Tagging":
        """Return a tagging from texts, with at least one tag; raises Unprocessable."""
        tagging = cls(tuple(map(checked_tag, add)), tuple(map(normalised_tag, remove)))
        if not (tagging.add or tagging.remove):
            raise Unprocessable("name a tag to set or to remove")
        return tagging

    def applied(self, tags: tuple[str, ...]) -> tuple[str, ...]:
        """Return the tags of a case after the change, oldest first."""
        return tuple(each for each in dict.fromkeys((*tags, *self.add)) if each not in self.remove)


# A tag before normalisation, which may shorten it.
TagText = Annotated[str, Field(min_length=1, max_length=4 * MAX_TAG_LENGTH)]


class TaggingBody(ActInput):
    """The tags to set and the tags to remove: at least one."""

    add: list[TagText] = Field([], max_length=MAX_TAGS, examples=[["late papers"]])
    remove: list[TagText] = Field([], max_length=MAX_TAGS)

    def tagging(self) -> Tagging:
        """Return the tagging that the body states; raises Unprocessable for an invalid tag."""
        return Tagging.from_texts(self.add, self.remove)


def normalised_tag(text: str) -> str:
    """Return a text as tags are compared and shown: NFKC, small letters, single blanks.

    >>> normalised_tag("  Late\\u00a0PAPERS ")
    'late papers'
    """
    # Lowering may create characters that are not normalised, so normalise again.
    small = unicodedata.normalize("NFKC", text).lower()
    return " ".join(unicodedata.normalize("NFKC", small).split())


def checked_tag(text: str) -> str:
    """Return a tag as stored; raises Unprocessable for an invalid one."""
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
    """Set and remove tags; raises Conflict if there would be too many."""
    tags = tagging.applied(case.tags)
    if len(tags) > MAX_TAGS:
        raise Conflict(
            say("a case has at most {most} tags: remove one that helps least", most=MAX_TAGS),
            code="too-many-tags",
        )
    changed: dict[str, tuple[object, object]] = {"tags": (case.tags, tags)}
    return replace(case, tags=tags), CaseEvent(case.case_id, at, actor, "tag", changed)


def tag_case(acting: ActRequest, tagging: Tagging) -> Case:
    """Set and remove tags of a case; a tagging that changes nothing leaves no event.

    Raises NotFound or Conflict.
    """
    cases = acting.cases
    row, case = cases.case(acting.reviewer, acting.case_id)
    # A masked case is shown without its tags, so there is nothing to compare with.
    if not cases.is_masked(row) and tagging.applied(case.tags) == case.tags:
        return case
    return acting.change(tag, tagging)


def tags_in_use(cases: "Cases", reviewer: Reviewer) -> list[str]:
    """Return the tags of the newest cases that a reviewer may see, in order."""
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
