"""Who answers for a check and where it is contested, until when: the deployer's own words.

The answers are a file of the deployer, `HOME/letters.toml`; no letter is written before every one
of them is there. Which remedies the law gives, and their deadlines, is for the deployer's counsel
to say: the names of the articles below are what the fields are for.
"""

import tomllib
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from serving.review.errors import RemediesUnnamed

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

# The right to be heard before an adverse decision: UCC 22(6), and 30 days in its delegated act.
[hearing]
# name = ""
# address = ""
# deadline_days = 30
# law = ""

# The appeal to the authority itself, or to another: UCC 44(2)(a).
[appeal]
# name = ""
# address = ""
# deadline_days =
# law = ""

# The court: UCC 44(2)(b), GDPR 79, LED 54.
[court]
# name = ""
# address = ""
# deadline_days =
# law = ""
"""


class Addressee(BaseModel):
    """Somebody that a letter can be sent to."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Line
    address: Line


class Remedy(Addressee):
    """A way to contest: with whom, within how many days of the letter, under which law."""

    deadline_days: DaysToAct
    law: Line


class Remedies(BaseModel):
    """Everybody that a letter names."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    controller: Addressee
    data_protection_officer: Addressee
    supervisory_authority: Addressee
    hearing: Remedy
    appeal: Remedy
    court: Remedy

    @classmethod
    def read(cls, file: Path) -> Self:
        """The answers in a file; raises RemediesUnnamed with all that is missing or wrong."""
        try:
            return cls.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
        except FileNotFoundError:
            raise RemediesUnnamed(
                f"a letter names who answers for a check and where to contest it, and {file} is "
                "not there; `tidegate letter init` lays it down"
            ) from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise RemediesUnnamed(f"{file} cannot be read as TOML: {error}") from None
        except ValidationError as wrong:
            faults = "; ".join(
                f"{'.'.join(map(str, error['loc']))}: {error['msg'].lower()}"
                for error in wrong.errors()
            )
            raise RemediesUnnamed(f"{file}: {faults}") from None


def write_remedies_template(file: Path) -> None:
    """Lay the questions down; answers that are there already are never written over."""
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        with file.open("x", encoding="utf-8") as out:
            out.write(TEMPLATE)
    except FileExistsError:
        raise RemediesUnnamed(f"{file} is there already; it is left as it is") from None
