"""Where a nation's installation bends: `python -m experiments.2026-11-28-a-nation.study`.

Prints the tables of the notes, in about two minutes. Times are those of `service_times.toml`; what
one machine really did stands in `one_machine.toml`.
"""

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from .nation import Design, Failure, Nation, Result, Times

SECONDS = 2.0
PER_S = 5_000
LONGEST_MS = 250
TIMES = Times.read()
MEASURED = tomllib.loads(Path(__file__).with_name("one_machine.toml").read_text())
PLANNED = Design(scorers=36, partitions=16, copies=2, chains=4, in_flight=2)
# One machine: SQLite, and a store of some 10⁵ records (service_times, growth).
TODAY = {"window_s": 4.4e-6, "event_s": 20e-6, "commit_s": 1.4e-3, "append_s": 0.17e-3}
# Workers over PostgreSQL today: groups of 16 hold the store's one lock for 2.4 ms a decision.
SHARED, SHARED_EVENT_S = Design(scorers=4, partitions=1), 2.4e-3 / 25
# Once a late event no longer opens all pages after its own: an event as at 10⁵ records.
WITHOUT_REOPENING = replace(TIMES, event_s=20e-6)
# Once scorers compress records too: 0.07 ms there, and rows of 5.6 KiB (log_growth, service_times).
PLANNED_TIMES = replace(WITHOUT_REOPENING, append_s=0.18e-3, decide_s=TIMES.decide_s + 0.07e-3)


def main() -> None:
    """Print every table."""
    _print("one machine: foretold, and measured", one_machine())
    _print("one shape after the other, each pushed until it bends", shapes())
    _print("chains, at 5,000/s with everything else as planned", chains())
    _print("scorers and partitions, at 5,000/s", sizes())
    _print("a key that a share of all decisions has", hot_keys())
    _print("a host that fails after 1 s, at 5,000/s", failures())
    _print("one time after the other doubled", doubled())


def one_machine() -> Iterator[Sequence[str]]:
    """The service as it is: loads, most of which did not calibrate the simulation."""
    cpu = vars(TIMES) | TODAY
    clock = {name: seconds / MEASURED["share"] for name, seconds in cpu.items()}
    times = replace(Times(**clock), flush_least_s=0.0, flush_more_s=0.0, network_s=0.0)
    yield "load", "", "foretold", "measured"
    for connections in (1, 4, 16, 32):
        told = Nation(Design(), times).closed_loop(connections, 20)
        name = f"{connections} connections"
        yield name, "per s", f"{told.per_s:.0f}", f"{MEASURED[f'{name}, per s']:.0f}"
        yield from _compared(name, name, told)
    for share in ("50%", "80%"):
        name = f"at {share} of 16 connections"
        per_s = MEASURED[f"{name}, per s"]
        told = Nation(Design(), times).open_loop(per_s, 30, is_even=True)
        yield from _compared(f"{per_s:.0f} per s", name, told)


def _compared(shown: str, name: str, told: Result) -> Iterator[Sequence[str]]:
    for percentile in (50, 99):
        measured = MEASURED[f"{name}, p{percentile} ms"]
        yield shown, f"p{percentile} ms", f"{told.ms(percentile):.0f}", f"{measured:.0f}"


def shapes() -> Iterator[Sequence[str]]:
    """The highest load that is answered whole and within 100 ms at p99, and what is busiest."""
    yield "shape", "bends at, per s", "p99 ms before", "busiest scorer, partition, chain"
    shared = replace(TIMES, event_s=SHARED_EVENT_S)
    for name, design, times in (
        ("one process over SQLite, as today", Design(), replace(TIMES, **TODAY)),
        ("4 workers over PostgreSQL, as today", SHARED, shared),
        ("36 workers over PostgreSQL, as today", replace(SHARED, scorers=36), shared),
        ("36 scorers, 16 partitions, 1 chain", replace(PLANNED, chains=1), TIMES),
        ("– late events without reopening", replace(PLANNED, chains=1), WITHOUT_REOPENING),
        ("– and records compressed", replace(PLANNED, chains=1), PLANNED_TIMES),
        ("– and 2 chains", replace(PLANNED, chains=2), PLANNED_TIMES),
        ("– and 4 chains: as planned", PLANNED, PLANNED_TIMES),
        (
            "72 scorers, 32 partitions, 8 chains",
            replace(PLANNED, scorers=72, partitions=32, chains=8),
            PLANNED_TIMES,
        ),
    ):
        per_s, result = bend_per_s(design, times)
        yield name, f"{per_s:,.0f}", f"{result.ms(99):.0f}", _busiest(result)


def bend_per_s(design: Design, times: Times) -> tuple[float, Result]:
    """The highest load, by steps of a twentieth, that is answered within 100 ms at p99."""
    low, step = 100.0, 2.0
    result = _at(design, low, times)
    while step > 1.05:
        tried = _at(design, low * step, times)
        if tried.ms(99) <= LONGEST_MS and tried.ended["answered"] == tried.arrived:
            low, result = low * step, tried
        else:
            step = step**0.5
    return round(low, -1), result


def chains() -> Iterator[Sequence[str]]:
    """A log of so many chains."""
    yield "chains", "p50 ms", "p99 ms", "decisions a commit", "busiest chain"
    for number in (1, 2, 3, 4, 8):
        told = _at(replace(PLANNED, chains=number), PER_S)
        yield (
            f"{number}",
            *_latency(told),
            f"{told.per_commit:.0f}",
            f"{told.busy['chain'][0]:.0%}",
        )


def sizes() -> Iterator[Sequence[str]]:
    """How many scorers and partitions it takes."""
    yield "scorers", "partitions × copies", "p50 ms", "p99 ms", "busiest", "cores"
    for scorers, partitions in ((24, 16), (30, 16), (36, 16), (48, 16), (36, 4), (36, 8), (36, 32)):
        told = _at(replace(PLANNED, scorers=scorers, partitions=partitions), PER_S)
        busy = f"{sum(map(sum, told.busy.values())):.0f}"
        yield f"{scorers}", f"{partitions} × 2", *_latency(told), _busiest(told), busy


def hot_keys() -> Iterator[Sequence[str]]:
    """One party in so many of all decisions, in order; then each of its events late."""
    yield "share", "its events", "p50 ms", "p99 ms", "busiest partition"
    for share in (0.0, 0.1, 0.5, 1.0):
        told = _at(replace(PLANNED, hot_share=share), PER_S)
        yield f"{share:.0%}", "in order", *_latency(told), f"{told.busy['partition'][0]:.0%}"
    for behind, late_ms in ((10_000, 0.33), (100_000, 1.9), (1_000_000, 33)):
        for share in (0.01, 0.5):
            design = replace(PLANNED, hot_share=share, hot_late_s=late_ms / 1e3)
            told = _at(design, PER_S)
            yield (
                f"{share:.0%}",
                f"late, {behind:,} behind it",
                *_latency(told),
                f"{told.busy['partition'][0]:.0%}",
            )


def failures() -> Iterator[Sequence[str]]:
    """One server of a kind fails, and another is in its place after two seconds."""
    yield "what fails", "copies", "arrived", "answered", "refused", "lost", "p99 ms"
    for kind, copies in (("scorer", 2), ("partition", 1), ("partition", 2), ("chain", 2)):
        nation = Nation(replace(PLANNED, copies=copies), PLANNED_TIMES)
        nation.let_fail(Failure(kind, at_s=1.0, takeover_s=2.0))  # type: ignore[arg-type]
        told = nation.open_loop(PER_S, 4)
        yield (
            kind,
            f"{copies}",
            *(f"{number:,}" for number in (told.arrived, *_fates(told))),
            f"{told.ms(99):.0f}",
        )


def _fates(told: Result) -> list[int]:
    return [told.ended[fate] for fate in ("answered", "refused", "lost")]


def doubled() -> Iterator[Sequence[str]]:
    """Which of the times the plan hangs on."""
    yield "doubled", "p50 ms", "p99 ms", "busiest of each"
    for name, seconds in {"nothing": 0.0, **vars(PLANNED_TIMES)}.items():
        times = replace(PLANNED_TIMES, **({name: 2 * seconds} if seconds else {}))
        told = _at(PLANNED, PER_S, times)
        yield name, *_latency(told), _busiest(told)


def _at(design: Design, per_s: float, times: Times = PLANNED_TIMES) -> Result:
    return Nation(design, times).open_loop(per_s, SECONDS)


def _latency(told: Result) -> tuple[str, str]:
    return f"{told.ms(50):.0f}", f"{told.ms(99):.0f}"


def _busiest(told: Result) -> str:
    kinds = ("scorer", "partition", "chain")
    return ", ".join(f"{told.busy[kind][0]:.0%}" if told.busy[kind] else "–" for kind in kinds)


def _print(title: str, rows: Iterator[Sequence[str]]) -> None:
    print(f"\n{title}\n", flush=True)
    for number, row in enumerate(rows):
        print("| " + " | ".join(row) + " |", flush=True)
        if not number:
            print("|" + "---|" * len(row))


if __name__ == "__main__":
    main()
