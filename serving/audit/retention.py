"""How long data last: the deployer's periods, and what is done when one of them is over.

First masking: people and callers see short names in place of ids, while measurement goes on. Then
erasure, in two steps by two: one proposes it for the days that are over, another erases. Cases that
are open, decisions that an incident froze and subjects that are held stay until nothing holds them.
"""

import json
import shutil
import tomllib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Self

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from features.arrow_schema import INSTANT
from features.atomic_dir import written_whole
from features.ingest.record_files import read_records, write_records
from features.records import RECORD_FILES
from serving.audit.checkpoints import LogSigner
from serving.audit.erasure import DueForErasure, ErasedUnits, Erasure, ErasureLimits, RetainedUnits
from serving.audit.incidents import holding_stretches
from serving.audit.retention_log import RetentionAct, RetentionLog
from serving.errors import RetentionRefused
from serving.settings import Settings

PROPOSED_FOR = timedelta(days=30)
"""A proposal that nobody followed for so long says too little of today."""

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
"""

FEWEST_LOG_DAYS = 184
"""Six months, the longest there are: AI Act 19(1) for providers, 26(6) for deployers."""

Days = Annotated[int, Field(ge=1, le=36_525)]


class ErasePeriod(BaseModel):
    """After how many days something is erased."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    erase_after_days: Days


class DecisionPeriods(ErasePeriod):
    """When decisions are masked and when they are erased."""

    mask_after_days: Days

    @field_validator("erase_after_days")
    @classmethod
    def _keep_the_log(cls, days: int) -> int:
        if days < FEWEST_LOG_DAYS:
            raise ValueError(
                f"want {FEWEST_LOG_DAYS} days or more: logs last six months at least "
                "(AI Act 19(1), 26(6))"
            )
        return days

    @model_validator(mode="after")
    def _mask_first(self) -> Self:
        if self.mask_after_days >= self.erase_after_days:
            raise ValueError("want mask_after_days below erase_after_days")
        return self


class Periods(BaseModel):
    """The deployer's periods, in days."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    decisions: DecisionPeriods
    records: ErasePeriod
    files: ErasePeriod

    @classmethod
    def read(cls, file: Path) -> Self:
        """The periods in a file; raises RetentionRefused with what is wrong."""
        try:
            return cls.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
        except FileNotFoundError:
            raise RetentionRefused(
                f"{file} is missing; `tidegate retention init` lays it down"
            ) from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise RetentionRefused(f"{file} cannot be read as TOML: {error}") from None
        except ValidationError as wrong:
            faults = "; ".join(
                f"{'.'.join(map(str, error['loc']))}: {error['msg']}" for error in wrong.errors()
            )
            raise RetentionRefused(f"{file}: {faults}") from None


@dataclass(frozen=True)
class RetentionCutoffs:
    """The days (ISO) before which something is to be done today."""

    mask: str
    decisions: str
    records: str
    files: str

    @classmethod
    def on(cls, periods: Periods, today: date) -> Self:
        """The cutoffs of the periods on a day."""

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
        """The limits of what the database holds."""
        return ErasureLimits(self.decisions, self.records)


def lay_down(file: Path) -> None:
    """Write the template; what is there already is never written over."""
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        with file.open("x", encoding="utf-8") as out:
            out.write(TEMPLATE)
    except FileExistsError:
        raise RetentionRefused(f"{file} is there already; it is left as it is") from None


@dataclass(frozen=True)
class Retention:
    """What is done about the end of data in one installation.

    `remake_state` makes the online feature store anew of what is still there.
    """

    settings: Settings
    erasure: Erasure
    acts: RetentionLog
    remake_state: Callable[[], None]

    def cutoffs(self, today: date) -> RetentionCutoffs:
        """The days that are over; raises RetentionRefused where no periods were set."""
        return RetentionCutoffs.on(Periods.read(self.settings.retention), today)

    def due(self, cutoffs: RetentionCutoffs) -> DueForErasure:
        """What an erasure would find."""
        return self.erasure.count_due(cutoffs.limits, self._retained())

    def mask(self, by: str, because: str, at: datetime) -> str:
        """Mask decisions whose first period is over; the day before which they are masked."""
        before = self.cutoffs(at.date()).mask
        self.acts.append(RetentionAct(at.isoformat(), "mask", by, because, {"before": before}))
        return before

    def propose(self, by: str, because: str, at: datetime) -> int:
        """Propose to erase what is over today; the number of the proposal."""
        cutoffs = self.cutoffs(at.date())
        details = asdict(cutoffs) | {"due": asdict(self.due(cutoffs))}
        return self.acts.append(RetentionAct(at.isoformat(), "propose", by, because, details))

    def erase(self, number: int, by: str, because: str, at: datetime) -> Path:
        """Erase what a proposal by another named, and certify it; the file of the certificate.

        What has come to be held since stays. Raises RetentionRefused.
        """
        cutoffs = self._proposed(number, by, at)
        details = {"proposal": number, **asdict(cutoffs)}
        act = RetentionAct(at.isoformat(), "erase", by, because, details)
        destroyed = self.erasure.erase(cutoffs.limits, self._retained(), act)
        self.erasure.sweep(cutoffs.limits)
        gone = _prune_records(self.settings.records, cutoffs.files)
        newest = max(
            cutoffs.files, cutoffs.decisions, cutoffs.records
        )  # sets are made of all of them
        gone |= _drop_training_sets(self.settings.home / "training_sets", newest)
        self.remake_state()
        self.erasure.compact()
        return self._certify(act, destroyed, gone)

    def hold(self, kind: str, subject_id: str, by: str, because: str, at: datetime) -> int:
        """Keep all there is on a subject, unmasked, until that is lifted; the number to lift."""
        details = {"subject_kind": kind, "subject": self.erasure.subject_token(kind, subject_id)}
        return self.acts.append(RetentionAct(at.isoformat(), "hold", by, because, details))

    def lift(self, number: int, by: str, because: str, at: datetime) -> None:
        """End a hold; raises RetentionRefused where there is none with this number."""
        if number not in {act.number for act in self.acts.holds()}:
            raise RetentionRefused(f"there is no hold {number}; `tidegate retention acts` has them")
        self.acts.append(RetentionAct(at.isoformat(), "lift", by, because, {"hold": number}))

    def _retained(self) -> RetainedUnits:
        holds = (act.details for act in self.acts.holds())
        return RetainedUnits(
            stretches=tuple(holding_stretches(self.settings.incidents)),
            subjects=tuple((details["subject_kind"], details["subject"]) for details in holds),
        )

    def _proposed(self, number: int, by: str, at: datetime) -> RetentionCutoffs:
        found = {act.number: act for act in self.acts.all("propose")}.get(number)
        if found is None:
            raise RetentionRefused(f"there is no proposal {number}; `tidegate retention propose`")
        if by.strip().casefold() in ("", found.by.strip().casefold()):
            raise RetentionRefused(f"{found.by} proposed it; another person must erase")
        if at - datetime.fromisoformat(found.at) > PROPOSED_FOR:
            raise RetentionRefused(f"proposal {number} is of {found.at[:10]}; propose anew")
        erased = {act.details["proposal"] for act in self.acts.all("erase")}
        if number in erased:
            raise RetentionRefused(f"proposal {number} was followed already; propose anew")
        return RetentionCutoffs(
            **{name: found.details[name] for name in RetentionCutoffs.__annotations__}
        )

    def _certify(self, act: RetentionAct, destroyed: ErasedUnits, gone: dict[str, int]) -> Path:
        """State what was erased, signed with the key that seals the log."""
        certificate = {**asdict(act), "destroyed": asdict(destroyed), "rows": gone}
        del certificate["number"]
        content = json.dumps(certificate, indent=1).encode()
        signature = LogSigner.from_folder(self.settings.keys).key.sign(content).hex()
        file = self.settings.erasures / f"{act.details['proposal']}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        file.with_suffix(".sig").write_text(signature + "\n")
        return file


def _prune_records(folder: Path, before: str) -> dict[str, int]:
    """Leave rows out of record files that were known before a day; how many, by file."""
    if not folder.exists():
        return {}
    cut = pa.scalar(datetime.fromisoformat(f"{before}T00:00:00Z"), INSTANT)
    journeys = read_records(folder, "journeys")
    staying = journeys.filter(pc.greater_equal(journeys["declared_at"], cut))["journey_id"]
    gone = {}
    with written_whole(folder) as partial:
        for name, record in RECORD_FILES.items():
            table = read_records(folder, name)
            is_kept = pc.greater_equal(table[record.known_from], cut)
            if is_kept.null_count:  # a planned leg lasts as long as its journey
                is_kept = pc.coalesce(is_kept, pc.is_in(table["journey_id"], staying))
            kept = table.filter(is_kept)
            gone[f"records/{name}"] = table.num_rows - kept.num_rows
            write_records(partial, name, kept)
    return gone


def _drop_training_sets(folder: Path, before: str) -> dict[str, int]:
    """Delete sets with subjects declared before a day; `tidegate build` makes them anew."""
    gone = {}
    for file in sorted(folder.rglob("subjects.parquet")):
        declared = pq.read_table(file, columns=["declared_at"])["declared_at"]
        oldest = pc.min(declared).as_py()
        if oldest is not None and oldest.date().isoformat() < before:
            gone[f"training_sets/{file.parent.relative_to(folder)}"] = len(declared)
            shutil.rmtree(file.parent)
    return gone
