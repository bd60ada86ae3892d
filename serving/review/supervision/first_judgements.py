"""The agreement of officers' first judgements with the score, which they had not seen.

A selection by the score predicts a find, a random draw none. Only closed cases count: for an open
one, the figures would reveal whether it was drawn. Figures exist for all and for offices, never for
a person.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from serving.review.cases.case_records import ActOnCase
from training.confidence_intervals import Estimate, proportion

Agreement = Literal["agreed", "differed", "unsure"]

NO_OFFICE = "(no office)"

# Fewer people than this get no figures of their own, which would describe a person.
MIN_PEOPLE = 3


@dataclass(frozen=True)
class ComparedJudgement:
    """One officer's view of a case before its score, and the score."""

    case_id: str
    office: str
    by: str
    is_selected: bool
    judged_as: str

    @property
    def agreement(self) -> Agreement:
        """Return whether the view agrees with the score."""
        if self.judged_as == "unsure":
            return "unsure"
        return "agreed" if (self.judged_as == "look") == self.is_selected else "differed"


@dataclass(frozen=True)
class AgreementFigures:
    """The first judgements of one group: `selected` by the score, or `drawn` at random.

    Both are shares that agreed with the score, leaving out unsure ones.
    """

    group: str
    judged: int
    agreed: int
    differed: int
    unsure: int
    selected: Estimate
    drawn: Estimate

    @property
    def agreement(self) -> Estimate:
        """The share that agreed with the score."""
        return proportion(self.agreed, self.agreed + self.differed)


@dataclass(frozen=True)
class FirstJudgements:
    """The first judgements of a span; only a person's first one on each case counts."""

    given: tuple[ComparedJudgement, ...] = ()

    @classmethod
    def from_acts(cls, acts: Iterable[ActOnCase]) -> "FirstJudgements":
        """Return the judgements among acts, which must be in order; rescues have none."""
        first: dict[tuple[str, str], ComparedJudgement] = {}
        for act in acts:
            event = act.event
            # For an open case the comparison would reveal whether it was drawn.
            if not act.is_closed or act.lane == "rescue" or not event.text:
                continue
            judgement = ComparedJudgement(
                event.case_id,
                act.office_id or NO_OFFICE,
                event.actor,
                act.lane != "control",
                event.text,
            )
            first.setdefault((event.case_id, event.actor), judgement)
        return cls(tuple(first.values()))

    def of_office(self, office: str) -> "FirstJudgements":
        """Return those of one office, or none if too few people judged."""
        return FirstJudgements(
            tuple(each for each in self.given if each.office == office)
        ).of_many()

    def of_many(self) -> "FirstJudgements":
        """Return these, or none if too few people judged."""
        return self if _people(self.given) >= MIN_PEOPLE else FirstJudgements()

    def figures(self, group: str = "all") -> AgreementFigures:
        """Return the figures of all judgements."""
        counts = {name: len(self.behind(name)) for name in ("agreed", "differed", "unsure")}
        return AgreementFigures(
            group=group,
            judged=len(self.given),
            selected=_share(each for each in self.given if each.is_selected),
            drawn=_share(each for each in self.given if not each.is_selected),
            **counts,
        )

    def by_office(self) -> Iterator[AgreementFigures]:
        """Yield the figures of each office where enough people judged."""
        for office in sorted({each.office for each in self.given}):
            if (own := self.of_office(office)).given:
                yield own.figures(office)

    def behind(self, agreement: Agreement) -> list[str]:
        """Return the ids of the cases that a figure counts."""
        return [each.case_id for each in self.given if each.agreement == agreement]


def _people(given: Iterable[ComparedJudgement]) -> int:
    return len({each.by for each in given})


def _share(given: Iterable[ComparedJudgement]) -> Estimate:
    said = [each.agreement for each in given if each.agreement != "unsure"]
    return proportion(said.count("agreed"), len(said))
