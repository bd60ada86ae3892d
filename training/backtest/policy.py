"""A policy: whom an office with room for few inspections looks at, as a TOML file says it."""

from collections.abc import Iterable
from datetime import UTC
from pathlib import Path
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator
from pydantic_core import ErrorDetails

from features.home_files import fault_in_words, read_home_file
from training.errors import TrainingError
from training.parameters import Day, Parameters, TreeParameters

Share = Annotated[float, Field(gt=0, le=1)]


class PolicyRule(Parameters):
    """Subjects that are inspected whatever their score: those whose `column` equals a value."""

    name: Annotated[str, Field(min_length=1)]
    column: Literal["mode", "office_id", "origin_country", "operator_id"]
    equals: Annotated[str, Field(min_length=1)]


class Policy(Parameters):
    """Capacity, and what fills it.

    `capacity_share` is the part of the subjects that can be inspected: by each "office" of its own,
    or of all by hands that "all" offices share, as `capacity_of` says. Capacity is that of a week;
    where it is fewer than two inspections, that of the shortest period of weeks that holds two, in
    which the office waits for high scores. Of that, `exploration_share`
    is drawn at random from what nothing else selected; the rest goes to `rules` first and then to
    the highest scores, of at least `threshold`. An "even" draw gives all the same chance; one
    "by_doubt" shares half of it out by sqrt(p (1 - p)), p being the score.

    From `begins` on the policy decides; what was inspected before, it has learnt from. A model is
    fitted anew every `retrain_every_weeks`, on the labels of the last `memory_weeks`; 0 keeps the
    first one. A label is known `label_delay_days` after the declaration. Features made of earlier
    outcomes are left out unless `reads_outcomes`: in the history they hold inspections that the
    policy never made. What was cleared stands for 1 / probability subjects in the fit; with
    `weights` by "inverse_probability" so does what was confirmed, by "case_control" it weighs 1.
    """

    begins: Day
    weeks: Annotated[int, Field(ge=1, le=1040)]
    capacity_share: Share = 0.05
    capacity_of: Literal["office", "all"] = "office"
    exploration_share: Annotated[float, Field(ge=0, le=1)] = 0.1
    lot: Literal["even", "by_doubt"] = "even"
    threshold: Annotated[float, Field(ge=0, lt=1)] = 0.0
    rules: tuple[PolicyRule, ...] = ()
    retrain_every_weeks: Annotated[int, Field(ge=0, le=520)] = 4
    memory_weeks: Annotated[int, Field(ge=1, le=1040)] = 52
    label_delay_days: Annotated[float, Field(ge=0, le=365)] = 14
    reads_outcomes: bool = False
    fewest_confirmed: Annotated[int, Field(ge=1)] = 20
    weights: Literal["case_control", "inverse_probability"] = "case_control"
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 7
    trees: TreeParameters = TreeParameters(trees=120, early_stopping_rounds=0)

    @property
    def first_instant(self) -> np.datetime64:
        """Midnight UTC at which the policy begins to decide."""
        return np.datetime64(self.begins.astimezone(UTC).replace(tzinfo=None), "us")

    @model_validator(mode="after")
    def _fit_on_something(self) -> Self:
        if self.memory_weeks * 7 <= self.label_delay_days:
            raise ValueError("memory_weeks must be longer than label_delay_days")
        if self.exploration_share == 1 and self.rules:
            raise ValueError("rules have no room where exploration_share is 1")
        return self

    @classmethod
    def read(cls, file: Path) -> Self:
        """Return the policy in a TOML file; raises TrainingError with keys and what they allow."""
        return read_home_file(cls, file, TrainingError, in_words=_fault_with_keys)


def _fault_with_keys(fault: ErrorDetails) -> str:
    return f"{fault_in_words(fault)} (keys: {', '.join(Policy.model_fields)})"


def read_together(files: Iterable[Path]) -> dict[str, Policy]:
    """Policies to compare, by the name of their file. Raises TrainingError.

    They must decide on the same weeks, else what they find could not be compared.
    """
    policies: dict[str, Policy] = {}
    for file in files:
        if file.stem in policies:
            raise TrainingError(f"{file}: another policy is called {file.stem!r}; rename one")
        policies[file.stem] = Policy.read(file)
    spans = {(policy.begins, policy.weeks) for policy in policies.values()}
    if len(spans) > 1:
        listed = ", ".join(f"{n} {p.weeks} from {p.begins:%Y-%m-%d}" for n, p in policies.items())
        raise TrainingError(f"want policies over the same weeks, got {listed}")
    return policies
