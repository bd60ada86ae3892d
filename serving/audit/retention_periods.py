"""The deployer's retention periods, and the days that are over by them.

They are set in `HOME/retention.toml`. Without that file nothing ends, and no default is assumed.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from features.home_files import read_home_file, write_home_file
from serving.audit.erasure import ErasureLimits
from serving.audit.errors import RetentionRefused

TEMPLATE = """\
# Days after which data end. Which law sets them is for the deployer's counsel to say.

[decisions]
# A decision with its answer, its case, notes and files; both count from the decision. Erased after
# 184 days at the earliest: logs last six months at least (AI Act 19(1), 26(6)). Data of passengers
# without any sign of risk must not be kept for five years (C-817/19, on PNR): ask which law holds.
# mask_after_days = 180
# erase_after_days = 1825

[records]
# Records that came by themselves; from their arrival.
# erase_after_days = 1825

[files]
# Rows of the files in HOME/records, and the online feature store and training sets made of them;
# from when a record was known. Many features look back a year, and some without an end: "first
# seen" begins anew with what is left.
# erase_after_days = 1825

[erasure]
# Days between the second person's agreement and the destruction of keys, in which it can be
# cancelled (`tidegate retention cancel`).
wait_days = 7
"""

# Six months, rounded up to the longest: AI Act 19(1) for providers, 26(6) for deployers.
MIN_LOG_DAYS = 184

Days = Annotated[int, Field(ge=1, le=36_525)]


class ErasePeriod(BaseModel):
    """The number of days after which something is erased."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    erase_after_days: Days


class DecisionPeriods(ErasePeriod):
    """The periods after which decisions are masked and erased."""

    mask_after_days: Days

    @field_validator("erase_after_days")
    @classmethod
    def _keep_the_log(cls, days: int) -> int:
        if days < MIN_LOG_DAYS:
            raise ValueError(
                f"want {MIN_LOG_DAYS} days or more: logs last six months at least "
                "(AI Act 19(1), 26(6))"
            )
        return days

    @model_validator(mode="after")
    def _mask_first(self) -> Self:
        if self.mask_after_days >= self.erase_after_days:
            raise ValueError("want mask_after_days below erase_after_days")
        return self


class ErasureWait(BaseModel):
    """The number of days an erasure waits after two persons agreed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    wait_days: Annotated[int, Field(ge=0, le=90)] = 7


class Periods(BaseModel):
    """The deployer's periods, in days."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    decisions: DecisionPeriods
    records: ErasePeriod
    files: ErasePeriod
    erasure: ErasureWait = ErasureWait()

    @classmethod
    def read(cls, file: Path) -> Self:
        """Read the periods from a file; raise RetentionRefused with every fault."""
        missing = "no such file; `tidegate init retention` writes it"
        return read_home_file(cls, file, RetentionRefused, missing=missing)


@dataclass(frozen=True)
class RetentionCutoffs:
    """The days (ISO) before which data are masked or erased today."""

    mask: str
    decisions: str
    records: str
    files: str

    @classmethod
    def on(cls, periods: Periods, today: date) -> Self:
        """Return the cutoffs of the periods on a day."""

        def before(days: int) -> str:
            return (today - timedelta(days=days)).isoformat()

        return cls(
            mask=before(periods.decisions.mask_after_days),
            decisions=before(periods.decisions.erase_after_days),
            records=before(periods.records.erase_after_days),
            files=before(periods.files.erase_after_days),
        )

    @property
    def limits(self) -> ErasureLimits:
        """Return the limits for the database."""
        return ErasureLimits(self.decisions, self.records)


def write_periods_template(file: Path) -> None:
    """Write the template; an existing file is never overwritten."""
    write_home_file(file, TEMPLATE, RetentionRefused)
