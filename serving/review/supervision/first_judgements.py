"""How officers' first judgements, made before the score was shown, agree with the score.

The score asks for a closer look at what it selected, and for none at what was drawn at random. Only
cases that have ended count: of an open one it would show whether it was drawn. Figures are of all
and of offices, never of a person.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from serving.review.cases.case_records import ActOnCase
from training.confidence_intervals import Estimate, proportion

Agreement = Literal["agreed", "differed", "unsure"]

NO_OFFICE = "(no office)"

# An office where fewer judged has no figures of its own: they would be those of a person.
FEWEST_PEOPLE = 3


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
        """Return whether both say the same."""
        if self.judged_as == "unsure":
            return "unsure"
        return "agreed" if (self.judged_as == "look") == self.is_selected else "differed"


@dataclass(frozen=True)
class AgreementFigures:
    """First judgements of one group: `selected` by the score, or drawn at random.

    Of each the share that agreed with it, those left out who were unsure.
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
        """The share of all that agreed with the score."""
        return proportion(self.agreed, self.agreed + self.differed)


@dataclass(frozen=True)
class FirstJudgements:
    """First judgements of a span, the first of each person on each case."""

    given: tuple[ComparedJudgement, ...] = ()

    @classmethod
    def from_acts(cls, acts: Iterable[ActOnCase]) -> "FirstJudgements":
        """Read from acts of judging, in order; a rescue is judged by nobody."""
        first: dict[tuple[str, str], ComparedJudgement] = {}
        for act in acts:
            event = act.event
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
        """The same of one office; of none where too few people judged."""
        return FirstJudgements(
            tuple(each for each in self.given if each.office == office)
        ).of_many()

    def of_many(self) -> "FirstJudgements":
        """The same; nothing where too few people judged."""
        return self if _people(self.given) >= FEWEST_PEOPLE else FirstJudgements()

    def figures(self, group: str = "all") -> AgreementFigures:
        """The figures of all of them."""
        counts = {name: len(self.behind(name)) for name in ("agreed", "differed", "unsure")}
        return AgreementFigures(
            group=group,
            judged=len(self.given),
            selected=_share(each for each in self.given if each.is_selected),
            drawn=_share(each for each in self.given if not each.is_selected),
            **counts,
        )

    def by_office(self) -> Iterator[AgreementFigures]:
        """The figures of each office where enough people judged."""
        for office in sorted({each.office for each in self.given}):
            if (own := self.of_office(office)).given:
                yield own.figures(office)

    def behind(self, agreement: Agreement) -> list[str]:
        """The ids of the cases that a figure counts."""
        return [each.case_id for each in self.given if each.agreement == agreement]


def _people(given: Iterable[ComparedJudgement]) -> int:
    return len({each.by for each in given})


def _share(given: Iterable[ComparedJudgement]) -> Estimate:
    said = [each.agreement for each in given if each.agreement != "unsure"]
    return proportion(said.count("agreed"), len(said))
