"""Deliveries: the signed steps of an object from its originator to a receiver.

The originator signs the object once (a detached JWS over its canonical JSON). Each agency that
hands it over appends a delivery: a JWS that states sender, receiver, the digest of the object, and
a distribution. A receiver checks the whole chain with the keys of those agencies, so that no
agency in the middle can widen anything, whatever software it runs.
"""

import hashlib
import json
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from features.signed_documents import canonical_json
from serving.exchange.distribution import MAX_STEPS, Distribution, refuse_step
from serving.exchange.errors import ExchangeRefused
from serving.exchange.exchanged_objects import ExchangedObject, read_object
from serving.exchange.extension import EXTENSION_ID

_ALGORITHM = "Ed25519"
_OBJECT, _DELIVERY = "tidegate-object", "tidegate-delivery"


@dataclass(frozen=True)
class Agency:
    """This agency in the exchange: its name and its private key."""

    name: str
    key: Ed25519PrivateKey


@dataclass(frozen=True)
class Received:
    """A checked object as it arrived: its way, and the distribution of its last step."""

    exchanged: ExchangedObject
    delivery_id: str
    way: tuple[str, ...]
    distribution: Distribution


def signed_object(made: ExchangedObject, agency: Agency) -> ExchangedObject:
    """Return an object signed by its originator; raise ExchangeRefused for another's."""
    if made.originator != agency.name:
        raise ExchangeRefused("unknown-signer", "an object is signed by its originator alone")
    whole = _jws(_OBJECT, canonical_json(made.unsigned), agency)
    header, _, signature = whole.split(".")
    return _with(made, signature=f"{header}..{signature}")


def delivered(
    sent: ExchangedObject,
    receiver: str,
    distribution: Distribution,
    agency: Agency,
    delivery_id: str | None = None,
) -> ExchangedObject:
    """Return a signed object with one more step, from this agency to a receiver."""
    step = {
        "delivery_id": delivery_id or str(uuid.uuid4()),
        "from": agency.name,
        "to": receiver,
        "object": _digest(sent),
        "distribution": distribution.to_document(),
    }
    steps = [*sent.extension.get("deliveries", []), _jws(_DELIVERY, canonical_json(step), agency)]
    return _with(sent, deliveries=steps)


def receive(
    document: Mapping[str, Any],
    sender: str,
    receiver: str,
    keys: Mapping[str, Ed25519PublicKey],
    at: datetime,
) -> Received:
    """Return a delivered object after every check but that of terms and replay.

    `keys` has the agencies that the administrator knows. Raises ExchangeRefused.
    """
    exchanged = read_object(document)
    _check_signature(exchanged, keys)
    steps = exchanged.extension.get("deliveries")
    if not isinstance(steps, list) or not steps or len(steps) > MAX_STEPS:
        raise ExchangeRefused("malformed", "an object comes with one to eight deliveries")
    digest, permitted = _digest(exchanged), exchanged.distribution
    way: tuple[str, ...] = ()
    handed_to, delivery_id = exchanged.originator, ""
    for token in steps:
        step = _step(token, handed_to, keys)
        if step["object"] != digest:
            raise ExchangeRefused("tampered", "a delivery is of another object")
        distribution = Distribution.from_document(step["distribution"])
        if not distribution.is_within(permitted):
            raise ExchangeRefused("widened", "a step permits more than the one before it")
        way = (*way, handed_to)
        # A recall goes wherever the object went, also where it could no longer go.
        if not exchanged.is_recall:
            refuse_step(distribution, step["to"], way, at)
        permitted, handed_to, delivery_id = distribution, step["to"], step["delivery_id"]
    if handed_to != receiver or way[-1] != sender:
        raise ExchangeRefused("misaddressed", "the delivery is from or to another agency")
    return Received(exchanged, delivery_id, way, permitted)


def _step(token: object, sender: str, keys: Mapping[str, Ed25519PublicKey]) -> dict[str, Any]:
    content = _verified(_DELIVERY, token, sender, keys)
    try:
        step = json.loads(content)
        if step["from"] != sender:
            raise ExchangeRefused("tampered", "a delivery is of another sender")
        if all(isinstance(step[name], str) for name in ("delivery_id", "to", "object")):
            return {**step, "distribution": step["distribution"]}
    except (ValueError, KeyError, TypeError):
        pass
    raise ExchangeRefused("malformed", "a delivery is not complete")


def _check_signature(exchanged: ExchangedObject, keys: Mapping[str, Ed25519PublicKey]) -> None:
    header, _, signature = str(exchanged.extension.get("signature")).partition("..")
    payload = urlsafe_b64encode(canonical_json(exchanged.unsigned)).decode().rstrip("=")
    _verified(_OBJECT, f"{header}.{payload}.{signature}", exchanged.originator, keys)


def _jws(use: str, content: bytes, agency: Agency) -> str:
    header = {"alg": _ALGORITHM, "typ": use, "kid": agency.name}
    key = OKPKey.import_key(agency.key)
    return jws.serialize_compact(header, content, key, algorithms=[_ALGORITHM])


def _verified(use: str, token: object, signer: str, keys: Mapping[str, Ed25519PublicKey]) -> bytes:
    public = keys.get(signer)
    if public is None:
        raise ExchangeRefused("unknown-signer", "the key of an agency on the way is not known")
    try:
        found = jws.deserialize_compact(
            str(token), OKPKey.import_key(public), algorithms=[_ALGORITHM]
        )
    except (JoseError, ValueError):
        raise ExchangeRefused("tampered", "a signature does not match") from None
    # A signature for one use must not count for another.
    if found.headers().get("typ") != use:
        raise ExchangeRefused("tampered", "a signature is for another use")
    return found.payload or b""


def _digest(exchanged: ExchangedObject) -> str:
    return hashlib.sha256(canonical_json(exchanged.unsigned)).hexdigest()


def _with(exchanged: ExchangedObject, **added: object) -> ExchangedObject:
    extension = {**exchanged.extension, **added}
    document = {**exchanged.document, "extensions": {EXTENSION_ID: extension}}
    return replace(exchanged, document=document)
