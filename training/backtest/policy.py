"""An inspection policy for offices with limited capacity, read from a TOML file."""

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
    """A rule that selects subjects with a given value in `column`, whatever their score."""

    name: Annotated[str, Field(min_length=1)]
    column: Literal["mode", "office_id", "origin_country", "operator_id"]
    equals: Annotated[str, Field(min_length=1)]


class Policy(Parameters):
    """Capacity, and its use.

    `capacity_share` is the share of subjects that can be inspected, by each "office" alone or by
    "all" together, as `capacity_of` states. Capacity is per week; if that is fewer than eight
    inspections, it is per shortest period of weeks with eight, within which the office waits for
    high scores. `exploration_share` of it is drawn at random from unselected subjects; the rest
    goes to `rules` first, then to the highest scores of at least `threshold`. A policy that
    `follows_tips` first inspects what was inspected on intelligence; tips beyond the room of their
    period are followed too, and take the room of later ones. An "even" draw gives all the same
    chance; one "by_doubt" distributes half of it by sqrt(p (1 - p)), p being the score.

    The policy decides from `begins` on, and has learnt from earlier inspections. A model is
    refitted every `retrain_every_weeks` on the labels of the last `memory_weeks`; 0 keeps the first
    one. A label is known `label_delay_days` after the declaration. Features computed from outcomes
    are left out unless `reads_outcomes`: in the history they reflect inspections that the policy
    did not make. By default `weights` are those of training: subjects without a result are part of
    the contrast, and results count alike. With "inverse_probability" only results are fitted, each
    with the weight 1 / probability.
    """

    begins: Day
    weeks: Annotated[int, Field(ge=1, le=1040)]
    capacity_share: Share = 0.05
    capacity_of: Literal["office", "all"] = "office"
    exploration_share: Annotated[float, Field(ge=0, le=1)] = 0.1
    lot: Literal["even", "by_doubt"] = "even"
    threshold: Annotated[float, Field(ge=0, lt=1)] = 0.0
    rules: tuple[PolicyRule, ...] = ()
    follows_tips: bool = False
    retrain_every_weeks: Annotated[int, Field(ge=0, le=520)] = 4
    memory_weeks: Annotated[int, Field(ge=1, le=1040)] = 52
    label_delay_days: Annotated[float, Field(ge=0, le=365)] = 14
    reads_outcomes: bool = False
    fewest_confirmed: Annotated[int, Field(ge=1)] = 20
    weights: Literal["traffic", "inverse_probability"] = "traffic"
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 7
    trees: TreeParameters = TreeParameters(trees=120, early_stopping_rounds=0)

    @property
    def first_instant(self) -> np.datetime64:
        """The instant from which the policy decides, at midnight UTC."""
        return np.datetime64(self.begins.astimezone(UTC).replace(tzinfo=None), "us")

    @model_validator(mode="after")
    def _fit_on_something(self) -> Self:
        # Labels would be forgotten before they are known.
        if self.memory_weeks * 7 <= self.label_delay_days:
            raise ValueError("memory_weeks must be longer than label_delay_days")
        if self.exploration_share == 1 and self.rules:
            raise ValueError("rules have no room where exploration_share is 1")
        return self

    @classmethod
    def read(cls, file: Path) -> Self:
        """Read a policy from a TOML file; raises TrainingError with keys and allowed values."""
        return read_home_file(cls, file, TrainingError, in_words=_fault_with_keys)


def _fault_with_keys(fault: ErrorDetails) -> str:
    return f"{fault_in_words(fault)} (keys: {', '.join(Policy.model_fields)})"


def read_together(files: Iterable[Path]) -> dict[str, Policy]:
    """Read policies to compare, by the name of their file.

    Raises TrainingError unless they decide on the same weeks: others cannot be compared.
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
