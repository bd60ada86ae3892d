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
LONGEST_MS = 100
TIMES = Times.read()
MEASURED = tomllib.loads(Path(__file__).with_name("one_machine.toml").read_text())
PLANNED = Design(scorers=10, partitions=8, copies=2, chains=4, in_flight=4)


def main() -> None:
    """Print every table."""
    _print("one machine: foretold, and measured", one_machine())
    _print("one shape after the other, each pushed until it bends", shapes())
    _print("chains, at 5,000/s with everything else as planned", chains())
    _print("partitions and scorers, at 5,000/s", sizes())
    _print("a key that a share of all decisions has", hot_keys())
    _print("a host that fails after 1 s, at 5,000/s", failures())
    _print("one time after the other doubled", doubled())


def one_machine() -> Iterator[Sequence[str]]:
    """The service as it is: what the simulation says of loads that it was not calibrated by."""
    yield "load", "", "foretold", "measured"
    for connections in (1, 4, 16, 32):
        told = Nation(Design(), TIMES).closed_loop(connections, 20)
        name = f"{connections} connections"
        yield name, "per s", f"{told.per_s:.0f}", f"{MEASURED[f'{name}, per s']:.0f}"
        yield name, "p50 ms", f"{told.ms(50):.1f}", f"{MEASURED[f'{name}, p50 ms']:.1f}"
        yield name, "p99 ms", f"{told.ms(99):.1f}", f"{MEASURED[f'{name}, p99 ms']:.1f}"
    for share in ("50%", "80%"):
        name = f"at {share} of 16 connections"
        per_s = MEASURED[f"{name}, per s"]
        told = Nation(Design(), TIMES).open_loop(per_s, 30, is_even=True)
        for percentile in (50, 99):
            measured = MEASURED[f"{name}, p{percentile} ms"]
            yield (
                f"{per_s:.0f} per s",
                f"p{percentile} ms",
                f"{told.ms(percentile):.1f}",
                f"{measured:.1f}",
            )


def shapes() -> Iterator[Sequence[str]]:
    """The highest load that is answered whole and within 100 ms at p99, and what is busiest."""
    yield "shape", "bends at, per s", "p99 ms before", "busiest scorer, partition, chain"
    for name, design in {
        "one process, one chain": Design(),
        "4 scorers, 1 partition, 1 chain": Design(scorers=4, partitions=1, in_flight=4),
        "10 scorers, 1 partition, 1 chain": Design(scorers=10, partitions=1, in_flight=4),
        "10 scorers, 8 partitions, 1 chain": replace(PLANNED, copies=1, chains=1),
        "10 scorers, 8 partitions, 4 chains": replace(PLANNED, copies=1),
        "the same, two copies of each partition": PLANNED,
        "20 scorers, 16 partitions, 8 chains, two copies": replace(
            PLANNED, scorers=20, partitions=16, chains=8
        ),
    }.items():
        per_s, result = bend_per_s(design)
        yield name, f"{per_s:,.0f}", f"{result.ms(99):.0f}", _busiest(result)


def bend_per_s(design: Design, times: Times = TIMES) -> tuple[float, Result]:
    """The highest load, by steps of a twentieth, that is answered within 100 ms at p99."""
    low, step = 250.0, 2.0
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
    yield "chains", "answered per s", "p50 ms", "p99 ms", "decisions a commit", "busiest chain"
    for number in (1, 2, 4, 8, 16):
        told = _at(replace(PLANNED, chains=number), PER_S)
        yield (
            f"{number}",
            *_latency(told),
            f"{told.per_commit:.0f}",
            f"{told.busy['chain'][0]:.0%}",
        )


def sizes() -> Iterator[Sequence[str]]:
    """How many scorers and partitions it takes."""
    yield "scorers", "partitions × copies", "answered per s", "p50 ms", "p99 ms", "busiest of each"
    for scorers, partitions in ((6, 8), (8, 8), (10, 8), (14, 8), (10, 4), (10, 16), (10, 32)):
        told = _at(replace(PLANNED, scorers=scorers, partitions=partitions), PER_S)
        yield f"{scorers}", f"{partitions} × 2", *_latency(told), _busiest(told)


def hot_keys() -> Iterator[Sequence[str]]:
    """One party in so many of all decisions, in order; then each of its events late."""
    yield "share", "its events", "answered per s", "p50 ms", "p99 ms", "busiest partition"
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
        nation = Nation(replace(PLANNED, copies=copies), TIMES)
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
    yield "doubled", "answered per s", "p50 ms", "p99 ms", "busiest of each"
    for name, seconds in {"nothing": 0.0, **vars(TIMES)}.items():
        times = replace(TIMES, **{name: 2 * seconds}) if seconds else TIMES
        told = _at(PLANNED, PER_S, times)
        yield name, *_latency(told), _busiest(told)


def _at(design: Design, per_s: float, times: Times = TIMES) -> Result:
    return Nation(design, times).open_loop(per_s, SECONDS)


def _latency(told: Result) -> tuple[str, str, str]:
    return f"{told.per_s:,.0f}", f"{told.ms(50):.0f}", f"{told.ms(99):.0f}"


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
