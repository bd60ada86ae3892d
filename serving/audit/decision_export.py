"""One decision in a folder that a court can verify with Python alone (`deploy/verify`).

decision.json     its position in the chain, outline, encrypted record, and the key of that alone
record.json       the whole decision as logged
later.ndjson      the outlines of later decisions up to the checkpoint, one JSON string a line
checkpoint.json   the first checkpoint that covers it
witness.lines     the witnesses' copies of that checkpoint
keys.json         the public keys that sign checkpoints and models
manifest.json, manifest.sig, booster.txt    the model that answered, if any
features.json     the indicator and family of each feature
contents.json     the SHA-256 of each of these files

The outlines contain lane, office, caller and token of the decisions in between, but no subject.
"""

import hashlib
import json
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from features.atomic_dir import written_whole
from features.catalogue import features_by_name
from features.errors import TidegateError
from features.home_keys import keys_in_pem
from features.signed_documents import canonical_json, is_signature
from serving.access.actors import Actor
from serving.integrity.audit_log import AuditEvent
from serving.integrity.checkpoints import Checkpoint
from serving.integrity.hash_chain import DECISIONS
from serving.integrity.witness_lines import framed, read_witness_lines
from serving.integrity.witnesses import Witness

if TYPE_CHECKING:
    from serving.storage.repositories.audit_repository import AuditRepository
    from serving.storage.repositories.checkpoint_repository import CheckpointRepository
    from serving.storage.repositories.decision_repository import DecisionRepository

MODEL_FILES = ("manifest.json", "manifest.sig", "booster.txt")


@dataclass(frozen=True)
class ChainedRecord:
    """A decision as the log has it: its number, the link before it (hexadecimal) and its parts.

    `key` opens `encrypted`, which is `record`, and otherwise only the answer and the case of the
    same decision.
    """

    seq: int
    before: str
    outline: str
    encrypted: bytes
    key: bytes
    record: bytes


@dataclass(frozen=True)
class ExportSources:
    """The sources of an export's parts; `witnesses` are those outside of the home."""

    log: "DecisionRepository"
    chains: "CheckpointRepository"
    checkpoints: Sequence[str]
    witnesses: Sequence[Witness]
    audit_log: "AuditRepository"
    models: Path
    log_keys: Mapping[str, str]
    model_key: Path


@dataclass(frozen=True)
class ExportRequest:
    """The request for an export: the decision, the person, the time and the folder."""

    decision_id: str
    by: Actor
    at: datetime
    folder: Path


def export_decision(sources: ExportSources, request: ExportRequest) -> Checkpoint:
    """Write a decision with all its proof, recorded as an event; return the covering checkpoint.

    The folder is complete or absent. Raises TidegateError or Erased.
    """
    if request.folder.exists():
        raise TidegateError(f"{request.folder} is there already; each export has its own folder")
    found = sources.log.chained(request.decision_id)
    if found is None:
        raise TidegateError(f"there is no decision {request.decision_id}")
    checkpoint = _covering(sources, found.seq)
    files = _files(sources, found, checkpoint)
    contents = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    files["contents.json"] = canonical_json(contents)
    digest = hashlib.sha256(files["contents.json"]).hexdigest()
    told = {"checkpoint": checkpoint.number, "contents": f"sha256:{digest}"}
    # The event is appended before the folder appears: there is no export without a record of it.
    with written_whole(request.folder) as partial:
        for name, content in files.items():
            (partial / name).write_bytes(content)
        sources.audit_log.append(
            AuditEvent(
                request.at, request.by, "export_decision", "decision", request.decision_id, told
            )
        )
    return checkpoint


def _covering(sources: ExportSources, seq: int) -> Checkpoint:
    """Return the first checkpoint after a decision that the chain still leads to."""
    stated = [Checkpoint.from_json(line) for line in sources.checkpoints]
    # The nearest checkpoint keeps the number of outlines in the export small.
    after = sorted((each for each in stated if each.size >= seq), key=lambda each: each.size)
    links = sources.chains.links(DECISIONS, {each.size for each in after})
    for each in after:
        # Checkpoints lost by a restore no longer match the chain.
        if links.get(each.size) == each.heads[DECISIONS].head:
            return each
    raise TidegateError("no checkpoint covers this decision yet; try again after the next one")


def _files(
    sources: ExportSources, found: ChainedRecord, checkpoint: Checkpoint
) -> dict[str, bytes]:
    record = json.loads(found.record)
    line = checkpoint.as_json()
    log_key = sources.log_keys.get(checkpoint.key_id)
    if log_key is None:
        raise TidegateError(f"the public key {checkpoint.key_id} of the log is not there")
    decision = {
        "seq": found.seq,
        "before": found.before,
        "outline": found.outline,
        "encrypted": b64encode(found.encrypted).decode(),
        "key": found.key.hex(),
    }
    later = sources.log.outlines(found.seq, checkpoint.size)
    files = {
        "decision.json": canonical_json(decision),
        "record.json": found.record,
        "later.ndjson": b"".join(json.dumps(outline).encode() + b"\n" for outline in later),
        "checkpoint.json": line.encode(),
        "witness.lines": b"".join(_copies(sources.witnesses, line)),
    }
    model_files: dict[str, bytes] = {}
    if record["model"] is not None:
        files["features.json"] = canonical_groups(record)
        model_files = _model_files(sources.models, record["model"])
    signed_by = model_key(sources.model_key, model_files)
    files["keys.json"] = canonical_json({"log": log_key.split()[0], "model": signed_by})
    return files | model_files


def _copies(witnesses: Sequence[Witness], line: str) -> Iterator[bytes]:
    """Yield the line of every witness that has it, skipping those that cannot be asked."""
    for witness in witnesses:
        try:
            is_told = line in read_witness_lines(witness.everything() or ()).lines
        except OSError:
            continue
        if is_told:
            yield framed(line)


def canonical_groups(record: Mapping[str, Any]) -> bytes:
    """Return the indicator and family of each feature of a decision, in the vector's order."""
    known = features_by_name()
    unknown = [name for name in record["vector"] if name not in known]
    reasons = record["reasons"]
    # Another release's groups would make a verifier reach other reasons than the record has.
    if unknown or (reasons is not None and "comparisons" not in reasons):
        raise TidegateError(
            "this decision was made by another release, whose reasons are grouped otherwise; "
            "export it with that release"
        )
    groups = [(known[name].indicator, known[name].family, name) for name in record["vector"]]
    told = [{"indicator": i, "family": f, "name": name} for i, f, name in groups]
    return canonical_json(told)


def _model_files(models: Path, reference: Mapping[str, str]) -> dict[str, bytes]:
    folder = models / reference["name"] / reference["version"]
    try:
        files = {name: (folder / name).read_bytes() for name in MODEL_FILES}
    except FileNotFoundError as missing:
        raise TidegateError(f"{missing.filename}: the model that answered is not there") from None
    if f"sha256:{hashlib.sha256(files['manifest.json']).hexdigest()}" != reference["digest"]:
        raise TidegateError(f"{folder} holds another model than the one that answered")
    return files


def model_key(public_file: Path, model: Mapping[str, bytes]) -> str:
    """Return the public key (hexadecimal) that signed a model, or the key in use without one.

    The key may have been rotated since: older models are still there and still verify.
    """
    content = public_file.read_bytes() if public_file.exists() else b""
    keys = keys_in_pem(content) if content else []
    signing = [key for key in keys if not model or _has_signed(key, model)]
    if model and not signing:
        raise TidegateError("no key of signing.pub signed the model that answered")
    return signing[0].hex() if signing else ""


def _has_signed(key: bytes, model: Mapping[str, bytes]) -> bool:
    return is_signature(model["manifest.sig"], model["manifest.json"], [key])
