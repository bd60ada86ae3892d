"""STIX 2.1 objects as agencies exchange them: made by the originator, checked by each receiver."""

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import stix2
from stix2.exceptions import STIXError

from features.signed_documents import canonical_json
from serving.exchange.distribution import Distribution
from serving.exchange.errors import ExchangeRefused
from serving.exchange.extension import EXTENSION_FIELDS, EXTENSION_ID, MARKING_IDS
from serving.exchange.object_kinds import (
    COMMON_FIELDS,
    OBJECT_KINDS,
    ObjectKind,
    refuse_other_fields,
)

# No object that people wrote comes near.
MAX_OBJECT_BYTES = 65_536
MAX_TEXT_LENGTH = 500
MAX_LIST_LENGTH = 50

# The 4 × 4 code of police agencies: reliability of the source, and of the information.
HANDLING_CODE = re.compile(r"[ABCX][1-4]")

# An agency in the exchange: a domain-like name that all partners know it by.
AGENCY_NAME = re.compile(r"[a-z][a-z0-9.-]{1,62}")

_NAMESPACE = uuid.UUID("0e6f1f0c-5c1c-4a5e-8f0e-2f0a9c1d7b44")
_RECALLED = "recalled"

# The details that name an entity, the first that is there.
_NAMED_BY = {
    "company": ("name",),
    "vessel": ("name", "imoNumber", "mmsi"),
    "vehicle": ("registrationNumber",),
    "container": ("number",),
}
_ALLOWED_VALUES = (str, int, float)


@dataclass(frozen=True)
class ExchangedObject:
    """A checked object: its STIX document, its kind, and what its originator permits."""

    document: Mapping[str, Any]
    kind: ObjectKind
    distribution: Distribution

    @property
    def object_id(self) -> str:
        """The STIX id, the same for all versions."""
        return str(self.document["id"])

    @property
    def originator(self) -> str:
        """The agency that made the object."""
        return str(self.extension["originator"])

    @property
    def extension(self) -> Mapping[str, Any]:
        """The fields that our extension adds."""
        return self.document["extensions"][EXTENSION_ID]

    @property
    def details(self) -> Mapping[str, Any]:
        """The content of the object; empty for a recall."""
        return self.extension["details"]

    @property
    def is_recall(self) -> bool:
        """True if the originator takes the object back."""
        return bool(self.document.get("revoked"))

    @property
    def is_nominal(self) -> bool:
        """True if the object names a company, vessel or vehicle."""
        return not self.is_recall and self.kind.is_nominal(self.details)

    @property
    def unsigned(self) -> dict[str, Any]:
        """The document without signature and deliveries, which is what the originator signs."""
        kept = {n: v for n, v in self.extension.items() if n not in ("signature", "deliveries")}
        return {**self.document, "extensions": {EXTENSION_ID: kept}}


def identity_of(agency: str) -> str:
    """Return the STIX id of an agency, which its name determines."""
    return f"identity--{uuid.uuid5(_NAMESPACE, agency)}"


def stix_time(at: datetime) -> str:
    """Return an instant as STIX writes it, in UTC with milliseconds."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z"


def new_object(
    kind_name: str,
    details: Mapping[str, Any],
    originator: str,
    handling: str,
    distribution: Distribution,
    at: datetime,
    fields: Mapping[str, Any] | None = None,
) -> ExchangedObject:
    """Return a new object of the originator, not signed yet; raise ExchangeRefused.

    `fields` are STIX fields that the details do not determine, as `object_refs` of an alert.
    """
    kind = OBJECT_KINDS.get(kind_name)
    if kind is None:
        raise ExchangeRefused("unknown-kind", "this kind of object is not exchanged")
    extension: dict[str, Any] = {
        "extension_type": "property-extension",
        "kind": kind.name,
        "originator": originator,
        "handling": handling,
        "distribution": distribution.to_document(),
        "details": dict(details),
    }
    if kind.schema:
        extension["schema"] = kind.schema
    document = {
        "type": kind.stix_type,
        "spec_version": "2.1",
        "id": f"{kind.stix_type}--{uuid.uuid4()}",
        "created_by_ref": identity_of(originator),
        "created": stix_time(at),
        "modified": stix_time(at),
        "object_marking_refs": [MARKING_IDS[distribution.marking]],
        **_own_fields(kind, details, at),
        **(fields or {}),
        "extensions": {EXTENSION_ID: extension},
    }
    return read_object(document)


def _own_fields(kind: ObjectKind, details: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """Return the fields that STIX requires of the type, from the details."""
    if names := _NAMED_BY.get(kind.name):
        found = (values[0] for name in names if (values := details.get(name)))
        own = {"name": str(next(found, ""))}
        return own | {"identity_class": "organization"} if kind.name == "company" else own
    if kind.name == "watch_list_entry":
        pattern = f"{details.get('watched')} = {details.get('value')!r}"
        return {"pattern": pattern, "pattern_type": "tidegate", "valid_from": stix_time(at)}
    return {"name": "alert", "published": stix_time(at)} if kind.name == "alert" else {}


def recall_of(recalled: ExchangedObject, at: datetime) -> ExchangedObject:
    """Return the recall of an object, without its content; the originator must sign it."""
    content = {
        "name": _RECALLED,
        "description": _RECALLED,
        "pattern": _RECALLED,
        "external_references": None,
    }
    kept = {n: v for n, v in recalled.unsigned.items() if n not in content}
    emptied = {n: content[n] for n in recalled.document if content.get(n)}
    extension = {**recalled.unsigned["extensions"][EXTENSION_ID], "details": {}}
    document = {
        **kept,
        **emptied,
        "modified": stix_time(at),
        "revoked": True,
        "extensions": {EXTENSION_ID: extension},
    }
    return read_object(document)


def read_object(document: Mapping[str, Any]) -> ExchangedObject:
    """Return the object that a document is, after every check that needs no key.

    Raises ExchangeRefused.
    """
    _refuse_large(document)
    extension = _extension(document)
    kind = OBJECT_KINDS.get(str(extension.get("kind")))
    if kind is None or kind.stix_type != document.get("type"):
        raise ExchangeRefused("unknown-kind", "this kind of object is not exchanged")
    refuse_other_fields(document, COMMON_FIELDS.union(kind.fields))
    refuse_other_fields(extension, EXTENSION_FIELDS)
    details = extension.get("details")
    if not isinstance(details, dict):
        raise ExchangeRefused("malformed", "an object has no details")
    refuse_other_fields(details, kind.details)
    _refuse_content(document, details)
    distribution = Distribution.from_document(extension.get("distribution") or {})
    found = ExchangedObject(document, kind, distribution)
    _refuse_disagreement(found)
    _refuse_invalid_stix(found)
    return found


def _refuse_large(document: Mapping[str, Any]) -> None:
    try:
        size = len(canonical_json(document))
    except (ValueError, RecursionError):  # no number, or nested without end
        raise ExchangeRefused("malformed", "the object is not finite JSON") from None
    if size > MAX_OBJECT_BYTES:
        raise ExchangeRefused("too-large", f"an object has at most {MAX_OBJECT_BYTES} bytes")


def _extension(document: Mapping[str, Any]) -> Mapping[str, Any]:
    extensions = document.get("extensions")
    if not isinstance(extensions, dict) or set(extensions) != {EXTENSION_ID}:
        raise ExchangeRefused("malformed", "an object has our extension and no other")
    extension = extensions[EXTENSION_ID]
    if not isinstance(extension, dict):
        raise ExchangeRefused("malformed", "the extension is no object")
    return extension


def _refuse_content(document: Mapping[str, Any], details: Mapping[str, Any]) -> None:
    for value in details.values():
        values = value if isinstance(value, list) else [value]
        if len(values) > MAX_LIST_LENGTH or not all(_is_short(each) for each in values):
            raise ExchangeRefused("malformed", "a detail is a short text, a number, or a list")
    references = document.get("external_references") or []
    for reference in references if isinstance(references, list) else [references]:
        if not isinstance(reference, dict):
            raise ExchangeRefused("malformed", "an external reference is no object")
        refuse_other_fields(reference, {"source_name", "url", "description"})


def _is_short(value: object) -> bool:
    return isinstance(value, _ALLOWED_VALUES) and len(str(value)) <= MAX_TEXT_LENGTH


def _refuse_disagreement(found: ExchangedObject) -> None:
    """Raise ExchangeRefused where STIX fields say other than the extension."""
    originator, handling = found.extension.get("originator"), found.extension.get("handling")
    if not isinstance(originator, str) or not AGENCY_NAME.fullmatch(originator):
        raise ExchangeRefused("malformed", "the originator is no name of an agency")
    if not isinstance(handling, str) or not HANDLING_CODE.fullmatch(handling):
        raise ExchangeRefused("malformed", "the handling code is not of the form B2")
    if found.document.get("created_by_ref") != identity_of(originator):
        raise ExchangeRefused("malformed", "the author is not the originator")
    if found.document.get("object_marking_refs") != [MARKING_IDS[found.distribution.marking]]:
        raise ExchangeRefused("malformed", "the marking is not that of the distribution")
    if found.document.get("identity_class", "organization") != "organization":
        raise ExchangeRefused("names-a-person", "an identity is an organization")
    if found.extension.get("schema") != found.kind.schema:
        raise ExchangeRefused("malformed", "the schema is not that of the kind")


def _refuse_invalid_stix(found: ExchangedObject) -> None:
    try:
        stix2.parse(found.unsigned, allow_custom=False, version="2.1")
    except (STIXError, ValueError, TypeError, KeyError, AttributeError):
        raise ExchangeRefused("malformed", "the object is not valid STIX 2.1") from None
