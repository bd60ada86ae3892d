"""An incident: the part of the log it concerns, frozen out of reach of any later erasure.

Regulation (EU) 2024/1689, Article 73, requires a serious incident to be reported with its
causes, and the system not to be altered in a way that hinders finding them. A frozen folder
contains the decisions as logged, with the links of the chain, and a report:

evidence.ndjson   one decision a line: number, link, outline, and the encrypted record
incident.json     `Incident`, with the digest of the evidence, signed by the key of the log
report.md         the same for people, with open questions that only they can answer
lifted.json       `LiftedHold`, once the hold ended: its decisions may then be erased
"""

import hashlib
import json
from base64 import b64decode
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from features.atomic_dir import written_whole
from features.errors import Tampered, TidegateError
from features.home_keys import keys_in_lines
from features.signed_documents import SignedDocument
from serving.integrity.hash_chain import ChainedDecision, next_link

if TYPE_CHECKING:
    from serving.storage.repositories.decision_repository import DecisionRepository

EVIDENCE, INCIDENT, REPORT, LIFTED = (
    *("evidence.ndjson", "incident.json"),
    *("report.md", "lifted.json"),
)

Harm = Literal["serious", "near_miss"]
Counts = dict[str, "Counter[str]"]


class Opening(BaseModel):
    """The opening of an incident: what happened, who reports it, and the period concerned."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    what: str
    harm: Harm
    opened_by: str
    opened_at: AwareDatetime
    begins: AwareDatetime
    ends: AwareDatetime

    @property
    def stretch(self) -> str:
        """Return the period as text for people."""
        return f"{self.begins:%Y-%m-%d %H:%M} to {self.ends:%Y-%m-%d %H:%M}"


class Incident(Opening, SignedDocument):
    """An incident with its decisions: numbers `first` to `last` of the log.

    `before` is the chain's link before the first of them; counts are of decisions.
    """

    signed_as = "incident"

    name: str
    first: int
    last: int
    before: str
    evidence: str
    models: dict[str, int]
    offices: dict[str, int]
    lanes: dict[str, int]


def freeze(
    log: "DecisionRepository", key: Ed25519PrivateKey, folder: Path, opening: Opening
) -> Incident:
    """Copy the decisions of a period into `folder`, signed; it is complete or absent.

    Raises TidegateError if the period has no decisions or the folder exists.
    """
    if opening.begins >= opening.ends:
        raise TidegateError(f"want an end after the beginning, got {opening.stretch}")
    # Freezing a second time could replace evidence, so it is refused.
    if folder.exists():
        raise TidegateError(f"{folder} is there already: an incident is frozen once")
    with written_whole(folder) as partial:
        # Still encrypted: a frozen folder must not outlive the erasure of its decisions in clear
        # text.
        rows = log.between(opening.begins, opening.ends)
        copied = _copied(rows, partial / EVIDENCE, opening)
        incident = Incident(name=folder.name, **opening.model_dump(), **copied)
        incident = incident.signed(key)
        (partial / INCIDENT).write_text(incident.model_dump_json(indent=1) + "\n", "utf-8")
        (partial / REPORT).write_text(report_incident(incident), encoding="utf-8")
    return incident


def _copied(rows: Iterable[ChainedDecision], file: Path, opening: Opening) -> dict[str, Any]:
    """Write the rows to the evidence file and return the fields that describe them."""
    digest = hashlib.sha256()
    counts: Counts = {"models": Counter(), "offices": Counter(), "lanes": Counter()}
    first = last = 0
    before = ""
    with file.open("wb") as out:
        for row in rows:
            line = json.dumps(_evidence(row)).encode()
            out.write(line + b"\n")
            digest.update(line + b"\n")
            first, before = first or row.seq, before or row.before
            last = row.seq
            _count(counts, json.loads(row.outline))
    if not last:
        raise TidegateError(f"nothing was decided from {opening.stretch}")
    return {
        "first": first,
        "last": last,
        "before": before,
        "evidence": f"sha256:{digest.hexdigest()}",
        **{name: dict(sorted(counter.items())) for name, counter in counts.items()},
    }


def _evidence(row: ChainedDecision) -> dict[str, object]:
    """Return one line: the outline, the link and the encrypted decision, if any."""
    line = {"seq": row.seq, "chain": row.chain, "record": row.outline}
    return line | {"encrypted": row.encrypted}


def _count(counts: Counts, outline: dict[str, Any]) -> None:
    counts["models"][_model_of(outline)] += 1
    counts["offices"][outline["office_id"] or "(none)"] += 1
    counts["lanes"][outline["lane"]] += 1


def _model_of(outline: dict[str, Any]) -> str:
    model = outline["model"]
    if model is None:
        return f"none: {outline['unscored']}"
    return f"{model['name']}/{model['version']} {model['digest']}"


def verify_incident(folder: Path, public_key: str) -> Incident:
    """Return the incident in `folder` if it is as frozen and signed (see `public_key_of`).

    Raises Tampered or TidegateError otherwise.
    """
    refusal = f"{folder}: {INCIDENT} is not signed as it stands"
    try:
        content = (folder / INCIDENT).read_bytes()
        incident = Incident.read(content, keys_in_lines(public_key), refusal)
        evidence = (folder / EVIDENCE).read_bytes()
    except FileNotFoundError as error:
        raise TidegateError(f"{error.filename} is missing") from None
    except ValidationError:
        raise Tampered(refusal) from None
    if f"sha256:{hashlib.sha256(evidence).hexdigest()}" != incident.evidence:
        raise TidegateError(f"{folder}: {EVIDENCE} is not what was frozen")
    _follow(incident, evidence.splitlines())
    return incident


def _follow(incident: Incident, lines: Iterable[bytes]) -> None:
    """Check that every record follows from the one before it, from the first to the last."""
    link, seq = bytes.fromhex(incident.before), incident.first - 1
    for line in lines:
        row = json.loads(line)
        link, seq = next_link(link, row["record"]), seq + 1
        if (row["seq"], row["chain"]) != (seq, link.hex()):
            raise TidegateError(f"record {row['seq']} does not follow from the one before it")
        if _digest(row) != json.loads(row["record"]).get("encrypted"):
            raise TidegateError(f"the encrypted content of record {row['seq']} was changed")
    if seq != incident.last:
        raise TidegateError(f"the evidence ends with record {seq}, want {incident.last}")


def _digest(row: dict[str, Any]) -> str | None:
    """Return the digest of the encrypted part of a line; None if there is none."""
    # A line without an encrypted part is valid only if its record has no digest of one.
    if "encrypted" not in row:
        return None
    return f"sha256:{hashlib.sha256(b64decode(row['encrypted'])).hexdigest()}"


def incidents(folder: Path) -> Iterator[Incident]:
    """Yield all frozen incidents by name, unverified; `verify_incident` checks one."""
    for file in sorted(folder.glob(f"*/{INCIDENT}")):
        yield Incident.model_validate_json(file.read_bytes())


def read(log: "DecisionRepository", incident: Incident) -> Iterator[str]:
    """Yield the decrypted records of an incident; raise TidegateError if one was erased."""
    for record in islice(log.records(incident.first - 1), incident.last - incident.first + 1):
        if record is None:
            raise TidegateError(f"{incident.name} was lifted, and its frozen records were erased")
        yield record


class LiftedHold(BaseModel):
    """The person who lifted an incident's hold, the time and the reason."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    by: str
    because: str
    at: AwareDatetime


def lift_incident_hold(folder: Path, lifted: LiftedHold) -> None:
    """Let an incident's decisions be erased after their period; the frozen folder stays.

    It can still be verified then, but no longer read. Raises TidegateError.
    """
    if not (folder / INCIDENT).exists():
        raise TidegateError(f"there is no incident in {folder}")
    try:
        # Exclusive creation: of two persons lifting at once, the first is recorded.
        with (folder / LIFTED).open("x", encoding="utf-8") as out:
            out.write(lifted.model_dump_json(indent=1) + "\n")
    except FileExistsError:
        raise TidegateError(f"{folder.name} was lifted already") from None


def holding_stretches(folder: Path) -> Iterator[tuple[int, int]]:
    """Yield the first and last record of every incident that was not lifted."""
    for incident in incidents(folder):
        if not (folder / incident.name / LIFTED).exists():
            yield incident.first, incident.last


def report_incident(incident: Incident) -> str:
    """Return a report with what Article 73 requires, as far as the log knows it.

    Questions that only the people involved can answer are left open.
    """
    counted = (
        ("Models", incident.models),
        ("Offices", incident.offices),
        ("Lanes", incident.lanes),
    )
    parts = [
        f"# Incident {incident.name} ({incident.harm.replace('_', ' ')})",
        incident.what,
        f"Opened by {incident.opened_by} on {incident.opened_at:%Y-%m-%d %H:%M} UTC.",
        f"Decided from {incident.stretch} UTC: "
        f"records {incident.first} to {incident.last} of the log, frozen as `{incident.evidence}`.",
    ]
    for title, counts in counted:
        rows = "\n".join(f"- {name}: {count:,}" for name, count in counts.items())
        parts.append(f"## {title}\n\n{rows}")
    questions = (
        "Who was harmed, and how?",
        "What caused it, as far as is known?",
        "Is a causal link between the system and the harm established, or reasonably likely? Since "
        "when is that known, and who found it? (the report is due at once from then on: 73(2))",
        "What was done at once, and by whom? Was the use suspended? (26(5))",
        "When was the provider told, first of all? And then the importer or distributor, and the "
        "market surveillance authority? (26(5); a deployer that cannot reach the provider reports "
        "in its place)",
        "When did the provider report, and to which authority? (at once, and after 15 days at "
        "most; 2 for a widespread infringement or disrupted critical infrastructure, 10 for a "
        "death: 73(2) to (4))",
        "Was personal data breached too? (72 hours: GDPR 33, LED 30)",
    )
    parts.append("## To be answered\n\n" + "\n".join(f"- {question}" for question in questions))
    return "\n\n".join(parts) + "\n"
