"""Compares the outline in a decision's chain with the encrypted decision.

Anyone who has the keys of a home can forge an outline and the chain after it. The encrypted
decision, its answer or both then disagree. This shares no code with the writer of outlines.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from sqlalchemy import Engine

from features.errors import TidegateError
from serving.crypto.compression import decompressed
from serving.crypto.encryption import EncryptionUnit
from serving.crypto.errors import Undecipherable
from serving.storage.keys.data_keys import DataKeys
from serving.triage.lane_declarations import WITHOUT_CASE

_SAME = ("decision_id", "subject_kind", "office_id", "caller_id", "lane", "lane_reason")
_LATER = (
    *("selection_probability", "unscored", "purpose", "rescores", "lane_before"),
    "drawn_with",
)


@dataclass(frozen=True)
class OutlineComparison:
    """A comparison of log rows with their encrypted content, for rows whose key still exists."""

    keys: DataKeys

    @classmethod
    def where_possible(cls, engine: Engine, keys: Path) -> Self | None:
        """Return the comparison; None if the folder lacks the keys of the database."""
        if not (keys / "subjects.key").exists():
            return None
        found = DataKeys(engine)
        try:
            with engine.connect() as connection:
                # A folder with other keys would report every decision as altered.
                found.probe(connection)
        except TidegateError:
            return None
        return cls(found)

    def __call__(self, row: Mapping[str, Any]) -> str | None:
        """Return the contradiction between a row and its encrypted parts, or None.

        None also stands for an erased decision, which cannot be compared.
        """
        if row["encrypted"] is None:
            return None
        unit = EncryptionUnit.of_decision(row["decision_id"], row["logged_at"] or row["scored_at"])
        try:
            whole = self.keys.decrypt(unit, "record", bytes(row["encrypted"]))
            if whole is None:
                return None
            decision = json.loads(decompressed(whole))
            outline = json.loads(row["record"])
            return (
                _differing(outline, decision, self.keys.tokens)
                or self._answer(row, decision)
                or _hidden_case(row)
            )
        except (Undecipherable, ValueError):
            return "what is encrypted with this record cannot be decrypted, or is no decision"

    def _answer(self, row: Mapping[str, Any], decision: Mapping[str, Any]) -> str | None:
        if row["answer"] is None:
            return "the answer of this decision is gone, and its time is not over"
        unit = EncryptionUnit.of_decision(row["decision_id"], row["logged_at"] or row["scored_at"])
        content = self.keys.decrypt(unit, "answer", bytes(row["answer"])) or b""
        digest, _, body = decompressed(content).partition(b"\n")
        if digest.decode() != decision["request_digest"]:
            return "the answer kept for this record is to another request"
        if f"sha256:{hashlib.sha256(body).hexdigest()}" != decision["answer_digest"]:
            return "the answer kept for this record is not the one that was given"
        return None


def _differing(
    outline: Mapping[str, Any],
    decision: Mapping[str, Any],
    tokens: Callable[[str, str], tuple[str, ...]],
) -> str | None:
    """Return a message about the first field of an outline that contradicts the decision."""
    score = decision.get("score") or {}
    # The outline may have the token of a former key; any token of the subject is right.
    named = tokens(decision["subject_kind"], decision["subject_id"])
    harm, probability = decision.get("harm_ratio"), score.get("probability")
    said = {name: decision.get(name) for name in (*_SAME, *_LATER)} | {
        "scored_at": decision["scored_at"],
        "subject_id": next((each for each in named if each == outline.get("subject_id")), named[0]),
        "probability": probability,
        "model": decision.get("model"),
        "ranked_by": None if harm is None or probability is None else probability * harm,
    }
    # Older releases wrote fewer fields, so an absent one is no contradiction.
    for name, value in said.items():
        if name in outline and not _agree(outline[name], value):
            return f"the outline's {name} is not that of the encrypted decision"
    return None


def _hidden_case(row: Mapping[str, Any]) -> str | None:
    """Return a message if the queue skipped a decision that opens a case without opening it."""
    was_passed = row["seq"] <= (row["cases_opened_to"] or 0)
    opens = row["lane"] not in WITHOUT_CASE and not row["rescores"]
    if was_passed and opens and row["opened_case"] is None:
        return "its case was never opened, and the queue says that it was"
    return None


def _agree(outline: Any, decision: Any) -> bool:
    if isinstance(outline, str) and isinstance(decision, str):
        return outline.replace("+00:00", "Z") == decision.replace("+00:00", "Z")
    return bool(outline == decision)
