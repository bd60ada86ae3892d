"""A replayed policy knows what it could have known, inspects what it may, and counts honestly."""

import re
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.training.planted import BEGINS, INPUTS, instant, planted_world, write_training_set
from training.backtest.backtest_page import office_capacity_in_words, render_backtest
from training.backtest.backtest_plots import hits
from training.backtest.history import History
from training.backtest.learning import KnownLabels
from training.backtest.ledger import PolicyReplay
from training.backtest.policy import Policy, PolicyRule, read_together
from training.backtest.policy_figures import figures_of_policies
from training.backtest.replay_policy import replay_policy
from training.backtest.selection import (
    BY_LOT,
    BY_RULE,
    BY_SCORE,
    BY_TIP,
    WeekSelection,
    plans_of_offices,
    select,
)
from training.data.training_set import TrainingSet
from training.errors import TrainingError, WindowUnusable
from training.outcomes import Texts
from training.parameters import TreeParameters
from training.ranking import Floats

DELAY_DAYS = 10


def policy(**changed: object) -> Policy:
    usual: dict[str, object] = {
        "begins": instant("2025-05-01"),
        "weeks": 20,
        "capacity_share": 0.1,
        "label_delay_days": DELAY_DAYS,
        "trees": TreeParameters(trees=10, leaves=4, early_stopping_rounds=0),
    }
    return Policy(**(usual | changed))  # type: ignore[arg-type]  # fields of a policy


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A planted world, with an oracle of what became of every subject, inspected or not."""
    folder = tmp_path_factory.mktemp("told")
    features, outcomes, subjects = planted_world(6_000, seed=3)
    write_training_set(folder, features, outcomes, subjects)
    # The world's own chances, as the planted formula has them.
    ratio = features["value_per_kg_ratio"].fillna(0.0).abs()
    log_odds = -4.4 + 1.6 * ratio + 0.8 * features["late_payments_30d"]
    log_odds += 1.2 * (features["corridor"] == "TR-DE").fillna(False).astype(float)
    chance = 1 / (1 + np.exp(-log_odds))
    drawn = np.random.default_rng(11).random(len(chance)) < chance
    names = np.where(features["late_payments_30d"] > 2, "late", "cheap")
    oracle = pd.DataFrame(
        {
            "subject_kind": "shipment",
            "subject_id": features["subject_id"],
            "true_probability": chance,
            "typology": pd.array(np.where(drawn, names, None), dtype="str"),
        }
    )
    oracle.to_parquet(folder / "oracle.parquet")
    return folder


@pytest.fixture(scope="module")
def data(folder: Path) -> TrainingSet:
    return TrainingSet.read(folder, "shipment", INPUTS)


@pytest.fixture(scope="module")
def invented(folder: Path, data: TrainingSet) -> History:
    return History.invented(data, folder / "oracle.parquet")


@pytest.fixture(scope="module")
def lived(invented: History) -> PolicyReplay:
    return replay_policy("usual", policy(), invented)


def inspected(ledger: PolicyReplay) -> list[list[int]]:
    return [ledger.rows_of(week).tolist() for week in ledger.weeks]


def test_the_same_seed_lives_the_same_life_and_another_does_not(
    invented: History, lived: PolicyReplay
) -> None:
    assert inspected(replay_policy("again", policy(), invented)) == inspected(lived)
    assert inspected(replay_policy("other", policy(seed=8), invented)) != inspected(lived)


@pytest.mark.parametrize("week", [4, 8])
def test_no_selection_knows_a_label_that_was_not_known_yet(
    invented: History, lived: PolicyReplay, week: int
) -> None:
    begins = np.datetime64("2025-05-01", "us") + np.timedelta64(7 * week, "D")
    still_hidden = invented.data.declared_at + np.timedelta64(DELAY_DAYS, "D") >= begins
    later = replace(invented, truth=np.where(still_hidden, 1 - invented.truth, invented.truth))

    changed = replay_policy("later", policy(), later)

    assert inspected(changed)[: week + 1] == inspected(lived)[: week + 1]
    assert inspected(changed) != inspected(lived)


def test_what_was_never_inspected_teaches_nothing(invented: History, lived: PolicyReplay) -> None:
    looked_at = np.concatenate([lived.rows_of(week) for week in lived.weeks])
    unseen = ~np.isin(np.arange(len(invented.data)), looked_at)
    other = replace(invented, truth=np.where(unseen, 1 - invented.truth, invented.truth))
    assert inspected(replay_policy("other", policy(), other)) == inspected(lived)


def test_learning_finds_more_than_the_lot(invented: History, lived: PolicyReplay) -> None:
    learnt = figures_of_policies(lived).precision.value
    by_lot = figures_of_policies(
        replay_policy("lot", policy(exploration_share=1.0), invented)
    ).precision.value
    assert learnt is not None
    assert by_lot is not None
    assert learnt > 1.5 * by_lot


def test_a_policy_that_never_retrains_fits_once(invented: History, lived: PolicyReplay) -> None:
    assert replay_policy("still", policy(retrain_every_weeks=0), invented).fits == 1
    assert lived.fits == 5


def test_typologies_are_counted_with_the_weeks_they_took(
    invented: History, lived: PolicyReplay
) -> None:
    told = {each.typology: each for each in figures_of_policies(lived).typologies}
    first, last = lived.weeks[0].rows.start, lived.weeks[-1].rows.stop
    for name, each in told.items():
        assert each.subjects == (invented.typology[first:last] == name).sum()
        weeks = [
            at
            for at, week in enumerate(lived.weeks)
            if (invented.typology[lived.rows_of(week)] == name).any()
        ]
        began = next(
            at for at, w in enumerate(lived.weeks) if (invented.typology[w.rows] == name).any()
        )
        assert each.weeks_to_find == min(weeks) - began


def test_a_typology_is_new_that_no_inspection_had_confirmed(
    invented: History, lived: PolicyReplay
) -> None:
    first = lived.weeks[0].rows.start
    rows = np.arange(len(invented.data))
    renamed = np.where((rows < first) & (invented.typology == "late"), "cheap", invented.typology)
    told = figures_of_policies(
        replace(lived, history=replace(invented, typology=renamed))
    ).typologies
    assert {each.typology: each.is_new for each in told} == {"cheap": False, "late": True}


def test_only_the_naive_count_is_far_from_the_truth(invented: History) -> None:
    told = [
        {
            each.way: each
            for each in figures_of_policies(
                replay_policy("p", policy(seed=s, exploration_share=0.5), invented)
            ).prevalence
        }
        for s in range(6)
    ]
    bias = {way: np.mean([each[way].bias for each in told]) for way in told[0]}
    held = {way: sum(each[way].held for each in told) for way in told[0]}
    assert bias["naive"] > 0.1
    assert abs(bias["stratified"]) < 0.03
    assert held["stratified"] > 8 > held["naive"]  # of twelve quarters


def test_without_a_lot_nothing_can_be_said_of_all_traffic(invented: History) -> None:
    told = figures_of_policies(
        replay_policy("none", policy(exploration_share=0.0), invented)
    ).prevalence
    assert [(each.way, each.blocks) for each in told if each.blocks] == [("naive", 2)]


@pytest.mark.parametrize("lot", ["even", "by_doubt"])
def test_each_is_drawn_as_often_as_its_own_probability_says(lot: str) -> None:
    scores = np.random.default_rng(5).beta(0.4, 6.0, 30)
    offices = np.repeat(["a", "b"], [24, 6]).astype(object)
    times, chances = np.zeros(30), np.zeros(30)
    asked = policy(capacity_share=0.2, exploration_share=0.5, lot=lot)
    for seed in range(6_000):
        chosen = select(
            asked, scores, np.zeros(30, dtype=bool), offices, np.random.default_rng(seed)
        )
        drawn = chosen.selected_by == BY_LOT
        times[chosen.places[drawn]] += 1
        chances[chosen.places[drawn]] = chosen.probability[drawn]
    low = scores < np.quantile(scores, 0.6)  # never selected by score
    assert times[low] / 6_000 == pytest.approx(chances[low], abs=0.02)
    own = chances[low & (offices == "a")]
    assert (own.max() / own.min() < 1.1) == (lot == "even")


def test_a_lot_by_doubt_gives_half_of_an_even_chance_to_the_surest() -> None:
    scores = np.array([0.0, 1.0, *np.full(98, 0.5)])
    offices = np.full(100, "a", dtype=object)
    asked = policy(capacity_share=0.1, exploration_share=1.0, lot="by_doubt")
    seen = {}
    for seed in range(400):
        chosen = select(
            asked, scores, np.zeros(100, dtype=bool), offices, np.random.default_rng(seed)
        )
        seen |= dict(zip(chosen.places.tolist(), chosen.probability.tolist(), strict=True))
    assert seen[0] == seen[1] == pytest.approx(0.05)


def test_hands_that_all_offices_share_go_where_scores_are_highest(invented: History) -> None:
    shared = replay_policy("shared", policy(capacity_of="all", exploration_share=0.0), invented)
    assert shared.weeks
    for week in shared.weeks:
        chosen = np.zeros(len(week.scores), dtype=bool)
        chosen[week.selection.places] = True
        assert abs(chosen.sum() - 0.1 * len(chosen)) < 1
        assert week.scores[chosen].min() >= week.scores[~chosen].max()


def test_results_weigh_alike_unless_asked_otherwise(invented: History) -> None:
    found = KnownLabels.before(invented, 100)
    rows = np.array([0, 1, 2])
    ways: Texts = np.array(["random", "random", "rule"], dtype=object)
    probability = np.array([0.1, 0.1, 1.0])
    found.add(rows, np.array([1.0, 0.0, 1.0]), invented.data.declared_at[rows], ways, probability)
    assert found.weights(rows, policy()).tolist() == [1.0, 1.0, 1.0]
    asked = policy(weights="inverse_probability")
    assert found.weights(rows, asked).tolist() == [10.0, 10.0, 1.0]


@pytest.mark.parametrize("weights", ["traffic", "inverse_probability"])
def test_what_an_officers_discretion_found_teaches_nothing(data: TrainingSet, weights: str) -> None:
    """The draws stand for those subjects too, so that nobody learns what officers look for."""
    outcomes = data.outcomes
    is_noticed = outcomes.is_labelled & (outcomes.selected_by == "rule")
    is_noticed &= np.arange(len(data)) % 2 == 0
    ways = np.where(is_noticed, "discretion", outcomes.selected_by)

    def replayed(label: Floats) -> list[list[float]]:
        told = replace(data, outcomes=replace(outcomes, selected_by=ways, label=label))
        ledger = replay_policy("logged", policy(weights=weights), History.logged(told))
        return [week.scores.tolist() for week in ledger.weeks]

    turned = np.where(is_noticed, 1 - outcomes.label, outcomes.label)
    assert replayed(turned) == replayed(outcomes.label)
    assert replayed(1 - outcomes.label) != replayed(outcomes.label)


def test_subjects_without_a_result_are_part_of_the_contrast(invented: History) -> None:
    """What most traffic shares is no sign, though every confirmed and no cleared one has it."""
    outcomes = invented.data.outcomes
    is_shared = ~(outcomes.is_labelled & (outcomes.label == 0))
    frame = invented.data.frame.assign(late_payments_30d=np.where(is_shared, 9.0, 0.0))
    changed = replace(invented, data=replace(invented.data, frame=frame))

    def mean_score(**asked: object) -> float:
        week = replay_policy("one", policy(weeks=1, **asked), changed).weeks[0]
        return float(week.scores[is_shared[week.rows]].mean())

    assert 2 * mean_score() < mean_score(weights="inverse_probability")


@given(
    sizes=st.lists(st.integers(0, 60), min_size=1, max_size=4),
    share=st.floats(0.01, 1.0),
    explored=st.floats(0.0, 1.0),
    seed=st.integers(0, 2**20),
)
def test_a_week_fills_capacity_and_no_more_at_every_office(
    sizes: list[int], share: float, explored: float, seed: int
) -> None:
    offices = np.repeat([f"o{n}" for n in range(len(sizes))], sizes).astype(object)
    if not len(offices):
        return
    lots = np.random.default_rng(seed)
    scores = lots.random(len(offices))
    asked = policy(capacity_share=share, exploration_share=explored)

    chosen = select(asked, scores, np.zeros(len(offices), dtype=bool), offices, lots)

    assert len(set(chosen.places.tolist())) == len(chosen.places)
    for office, size in zip((f"o{n}" for n in range(len(sizes))), sizes, strict=True):
        assert abs((offices[chosen.places] == office).sum() - share * size) < 1 + 1e-9
        own = np.flatnonzero(offices == office)
        scored = chosen.places[(chosen.selected_by == BY_SCORE) & np.isin(chosen.places, own)]
        left = np.setdiff1d(own, scored)
        if len(scored) and len(left):
            assert scores[scored].min() >= scores[left].max()
    assert (chosen.probability[chosen.selected_by == BY_SCORE] == 1).all()
    assert ((chosen.selected_by == BY_LOT).sum()) == chosen.drawn.sum()


def lived_at_offices(
    asked: Policy, weeks: list[tuple[Texts, Floats]], seed: int = 3
) -> list[WeekSelection]:
    """What is selected week after week; of each week the offices and the scores."""
    lots = np.random.default_rng(seed)
    plans = plans_of_offices(asked, [offices for offices, _ in weeks], lots)
    return [
        select(asked, scores, np.zeros(len(scores), dtype=bool), offices, lots, plans)
        for offices, scores in weeks
    ]


@given(
    sizes=st.lists(st.lists(st.integers(0, 9), min_size=3, max_size=3), min_size=1, max_size=9),
    share=st.floats(0.01, 1.0),
    explored=st.floats(0.0, 1.0),
    seed=st.integers(0, 2**20),
)
def test_an_office_uses_its_share_of_all_weeks_however_few_it_has_in_one(
    sizes: list[list[int]], share: float, explored: float, seed: int
) -> None:
    if not sum(map(sum, sizes)):
        return
    scores = np.random.default_rng(seed)
    weeks = [
        (np.repeat(["a", "b", "c"], week).astype(object), scores.random(sum(week)))
        for week in sizes
    ]
    asked = policy(capacity_share=share, exploration_share=explored)

    chosen = lived_at_offices(asked, weeks, seed)

    for office, counts in zip("abc", np.transpose(sizes), strict=True):
        used = sum(
            (offices[week.places] == office).sum()
            for (offices, _), week in zip(weeks, chosen, strict=True)
        )
        assert abs(used - share * counts.sum()) < 1 + 1e-6


def test_small_offices_find_all_that_hands_shared_by_all_would() -> None:
    """Each of 20 offices has five subjects a week, of which one in four weeks stands out."""
    offices = np.repeat([f"o{n:02}" for n in range(20)], 5).astype(object)
    weeks = []
    for week in range(16):
        scores = np.linspace(0.01, 0.02, 100)
        scores[[5 * n for n in range(20) if (week + n) % 4 == 0]] = 0.9
        weeks.append((offices, scores))
    asked = {"capacity_share": 0.05, "exploration_share": 0.0}

    def found(weeks: list[tuple[Texts, Floats]], chosen: list[WeekSelection]) -> int:
        pairs = zip(weeks, chosen, strict=True)
        return sum(int((scores[week.places] == 0.9).sum()) for (_, scores), week in pairs)

    own = found(weeks, lived_at_offices(policy(**asked), weeks))
    together = [(np.full(100, "all", dtype=object), scores) for _, scores in weeks]
    shared = found(together, lived_at_offices(policy(capacity_of="all", **asked), together))
    lots = np.random.default_rng(3)
    by_week = [
        select(policy(**asked), scores, np.zeros(100, dtype=bool), offices, lots)
        for offices, scores in weeks
    ]

    assert shared == 80
    assert own >= shared
    assert found(weeks, by_week) < 0.5 * shared  # each week rounded by itself


def test_what_each_office_alone_costs_is_counted_and_said(invented: History) -> None:
    own = figures_of_policies(replay_policy("own", policy(capacity_share=0.01), invented))
    shared = figures_of_policies(replay_policy("shared", policy(capacity_of="all"), invented))

    assert own.office_capacity
    assert own.office_capacity.planning == own.office_capacity.offices > 1
    assert own.office_capacity.longest_period > 1
    said = office_capacity_in_words(own)
    assert f"plan over up to {own.office_capacity.longest_period} weeks" in said
    assert f"{own.office_capacity.hits_if_shared.value:.0f}." in said
    assert shared.office_capacity is None
    assert 'capacity_of = "all"' in office_capacity_in_words(shared)


def test_the_lot_falls_as_often_as_its_recorded_probability_says() -> None:
    offices = np.repeat(["a", "b"], [40, 10]).astype(object)
    scores, times = np.linspace(0, 1, 50), np.zeros(50)
    expected = 0.0
    for seed in range(2_000):
        lots = np.random.default_rng(seed)
        asked = policy(capacity_share=0.2, exploration_share=0.5)
        chosen = select(asked, scores, np.zeros(50, dtype=bool), offices, lots)
        drawn = chosen.selected_by == BY_LOT
        times[chosen.places[drawn]] += 1 / chosen.probability[drawn]
        expected += chosen.pool.sum()
    assert times.sum() / expected == pytest.approx(1, abs=0.03)


def test_rules_come_before_scores_and_must_fit(invented: History) -> None:
    rule = PolicyRule(name="sea", column="mode", equals="sea")
    with pytest.raises(TrainingError, match=r"rules alone select \d+ of \d+ .* at office office-"):
        replay_policy("sea", policy(rules=(rule,)), invented)

    narrow = PolicyRule(name="one operator", column="operator_id", equals="k7")
    ruled = replay_policy("one", policy(rules=(narrow,)), invented)
    ways = np.concatenate([week.selection.selected_by for week in ruled.weeks])
    rows = np.concatenate([ruled.rows_of(week) for week in ruled.weeks])
    span = slice(ruled.weeks[0].rows.start, ruled.weeks[-1].rows.stop)
    own = (invented.data.subjects["operator_id"] == "k7").to_numpy()
    assert (ways == BY_RULE).sum() == own[span].sum() > 0
    assert own[rows[ways == BY_RULE]].all()


@pytest.mark.parametrize("capacity_of", ["all", "office"])
def test_followed_tips_use_the_capacity_that_others_would(
    invented: History, capacity_of: str
) -> None:
    is_tip = np.arange(len(invented.data)) % 40 == 0
    outcomes = invented.data.outcomes
    ways = np.where(is_tip, "intelligence", outcomes.selected_by)
    data = replace(invented.data, outcomes=replace(outcomes, selected_by=ways))
    history = replace(invented, data=data)

    ignored = replay_policy("ignored", policy(capacity_of=capacity_of), history)
    followed = replay_policy(
        "followed", policy(capacity_of=capacity_of, follows_tips=True), history
    )
    rows = np.concatenate([followed.rows_of(week) for week in followed.weeks])
    selected_by = np.concatenate([week.selection.selected_by for week in followed.weeks])
    span = slice(followed.weeks[0].rows.start, followed.weeks[-1].rows.stop)
    tips = span.start + np.flatnonzero(is_tip[span])
    assert sorted(rows[selected_by == BY_TIP]) == tips.tolist()
    assert len(rows) == len(np.unique(rows))
    assert len(rows) == pytest.approx(sum(map(len, inspected(ignored))), abs=1)


def test_more_tips_than_room_are_all_followed_and_leave_later_weeks_less() -> None:
    weeks = [np.full(100, "a", dtype=object)] * 3
    asked, rng = policy(capacity_share=0.1, exploration_share=0.0), np.random.default_rng(1)
    plans = plans_of_offices(asked, weeks, rng)
    made = []
    for number in (15, 0, 0):
        is_tip = np.arange(100) < number
        scores = rng.random(100)
        nothing = np.zeros(100, dtype=bool)
        made.append(select(asked, scores, nothing, weeks[0], rng, plans, is_tip))
    counts = [len(each.places) for each in made]
    assert (made[0].selected_by == BY_TIP).all()
    assert counts[0] == 15
    assert sum(counts) == 30


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"begins": instant("2024-05-01")}, "must begin after"),
        ({"weeks": 400}, "are not all in the history"),
    ],
)
def test_weeks_outside_the_history_are_refused(
    invented: History, changed: dict[str, datetime | int], says: str
) -> None:
    with pytest.raises(TrainingError, match=says):
        replay_policy("outside", policy(**changed), invented)


def test_a_policy_without_labels_to_begin_with_is_refused(invented: History) -> None:
    day = (BEGINS + np.timedelta64(8, "D")).astype("datetime64[D]")
    with pytest.raises(WindowUnusable, match="are known at the policy's begin"):
        replay_policy("early", policy(begins=instant(str(day))), invented)


def test_a_policy_file_is_read_or_named_with_the_key_that_is_wrong(tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text(
        "begins = 2025-05-01\nweeks = 4\n[[rules]]\nname='x'\ncolumn='mode'\nequals='sea'"
    )
    assert Policy.read(file).rules[0].equals == "sea"
    for text, key in (
        ("begins = 2025-05-01\nweeks = 4\ncapacity = 0.1", "capacity"),
        ("begins = 2025-05-01\nweeks = 0", "weeks"),
        ("weeks = ", "not TOML"),
    ):
        file.write_text(text)
        with pytest.raises(TrainingError, match=key):
            Policy.read(file)
    with pytest.raises(TrainingError, match="no such file"):
        Policy.read(tmp_path / "absent.toml")


def test_policies_that_cannot_be_told_apart_or_compared_are_refused(tmp_path: Path) -> None:
    def written(name: str, weeks: int) -> Path:
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"begins = 2025-05-01\nweeks = {weeks}")
        return file

    four, other = written("four.toml", 4), written("other.toml", 4)
    assert list(read_together([four, other])) == ["four", "other"]
    with pytest.raises(TrainingError, match="another policy is called 'four'"):
        read_together([four, written("there/four.toml", 4)])
    with pytest.raises(TrainingError, match="four 4 from 2025-05-01, five 5 from 2025-05-01"):
        read_together([four, written("five.toml", 5)])


def test_every_policy_is_drawn_however_many_there_are(lived: PolicyReplay) -> None:
    many = tuple(figures_of_policies(replace(lived, name=f"policy {n}")) for n in range(7))
    (axes,) = hits(many).axes
    assert [text.get_text() for text in axes.get_legend().get_texts()][:7] == [
        policy.name for policy in many
    ]


def test_the_page_shows_policies_side_by_side_and_escapes_names(lived: PolicyReplay) -> None:
    shown = figures_of_policies(replace(lived, name="<b>usual</b>"))
    html = render_backtest((shown, figures_of_policies(lived)), "shipment", is_invented=True)
    assert "&lt;b&gt;usual&lt;/b&gt;" in html
    assert "<b>" not in html
    assert html.count("data:image/png") == 2
    assert "as it was, without a policy" in html


@pytest.mark.parametrize(
    "hard", [{"exploration_share": 0.0}, {"threshold": 0.999}, {"capacity_share": 0.001}]
)
def test_no_output_of_a_policy_that_finds_or_draws_nothing_says_nan(
    invented: History, hard: dict[str, Any]
) -> None:
    of = figures_of_policies(replay_policy("hard", policy(**hard), invented))

    content = of.model_dump_json()
    shown = render_backtest((of,), "shipment", is_invented=True)

    assert not re.search(r"\bnan\b|\binf(inity)?\b", content, re.IGNORECASE)
    assert not re.search(r">[^<]*\bnan\b", shown, re.IGNORECASE)
    assert "nan" not in office_capacity_in_words(of).split()
