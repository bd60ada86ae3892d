"""The authorities that answer for a check and hear appeals, in the deployer's own words.

The deployer writes them into `HOME/letters.toml`; without every answer no letter is written. The
deployer's counsel decides which remedies the law gives: the articles below only say what each field
is for. A letter is never a decision, so it names hearing, appeal and court only if a decision
against its reader may follow, and states no deadline.
"""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from features.home_files import read_home_file, write_home_file
from serving.errors import Conflict
from serving.review.cases.results import RESULT_MEANING, CaseResult

Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=400)]
DaysToAct = Annotated[int, Field(ge=1, le=1_100)]

TEMPLATE = """\
# Whom a trader or carrier can turn to. Every field is needed before a letter is written.

# Who decides on purposes and means: GDPR 4(7), LED 3(8). `address` is what a letter can be sent to.
[controller]
# name = ""
# address = ""

# GDPR 37 to 39, LED 32 to 34.
[data_protection_officer]
# name = ""
# address = ""

# Complaint without a deadline: GDPR 77, LED 52; it also exercises rights that are withheld: LED 17.
[supervisory_authority]
# name = ""
# address = ""

# The right to be heard before an adverse decision: UCC 22(6). Named where one may follow.
[hearing]
# name = ""
# address = ""
# law = ""

# The appeal against such a decision, to the authority itself or to another: UCC 44(2)(a). The
# decision says until when.
[appeal]
# name = ""
# address = ""
# law = ""

# The court, against such a decision: UCC 44(2)(b), GDPR 79, LED 54.
[court]
# name = ""
# address = ""
# law = ""
"""


# The possible consequence for a party: none, a decision of the office, or another authority's.
Consequence = Literal["none", "decision", "other_authority"]


def consequence_of(result: CaseResult | None) -> Consequence:
    """Return the possible consequence of a case's result; None stands for a release."""
    if result is None or RESULT_MEANING[result.code].label not in ("confirmed", "other_offence"):
        return "none"
    return "other_authority" if result.found_by == "refer" else "decision"


def consequence_of_words(ending: str) -> Consequence:
    """Return the possible consequence by an ending's words, for letters that store no other."""
    found = (each for each in RESULT_MEANING.values() if each.words == ending)
    is_adverse = any(each.label in ("confirmed", "other_offence") for each in found)
    return "decision" if is_adverse else "none"


class Addressee(BaseModel):
    """A person or office with an address for letters."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Line
    address: Line


class Remedy(Addressee):
    """A way to contest a decision: the addressee and the law.

    Files and letters of earlier releases have `deadline_days`. It is accepted but dropped: a period
    runs from a decision or its announcement, never from a letter.
    """

    law: Line
    deadline_days: DaysToAct | None = Field(None, exclude=True)


class Remedies(BaseModel):
    """All addressees that a letter names."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    controller: Addressee
    data_protection_officer: Addressee
    supervisory_authority: Addressee
    hearing: Remedy
    appeal: Remedy
    court: Remedy

    @classmethod
    def read(cls, file: Path) -> Self:
        """Return the answers in a file; raises Conflict with every fault."""
        missing = (
            "there is no such file, and a letter names who answers for a check and where to "
            "contest it; `tidegate init letters` writes it"
        )
        return read_home_file(cls, file, _refused, missing=missing)


def write_remedies_template(file: Path) -> None:
    """Write the template file; never overwrite existing answers."""
    write_home_file(file, TEMPLATE, _refused)


def _refused(detail: str) -> Conflict:
    return Conflict(detail, code="remedies-unnamed")
