"""One agency's part in the exchange: what it makes, sends, takes in, passes on and recalls."""

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from features.home_keys import KEY_BYTES, read_secret, write_secret
from features.person_names import may_be_one_person, names_somebody
from serving.errors import Conflict, NotFound, Unprocessable
from serving.exchange.deliveries import Agency, Received, delivered, receive, signed_object
from serving.exchange.distribution import Distribution, PartnerTerms, recipients_of, refuse_step
from serving.exchange.errors import ExchangeRefused
from serving.exchange.exchanged_objects import (
    AGENCY_NAME,
    ExchangedObject,
    new_object,
    read_object,
    recall_of,
)
from serving.storage.repositories.exchange_repository import (
    Arrival,
    ExchangeRepository,
    HeldObject,
    Sending,
)
from serving.storage.repositories.partner_repository import ExchangePartner, PartnerRepository
from serving.storage.stores import Stores

KEY_FILE = "exchange.key"

# Clocks of agencies may differ by this much.
CLOCK_TOLERANCE = timedelta(minutes=5)


def join(stores: Stores, keys: Path, name: str, by: str, at: datetime) -> ExchangePartner:
    """Give this agency its name and its key in the exchange; raise Conflict if it has them."""
    if not AGENCY_NAME.fullmatch(name):
        raise Unprocessable("want a name of small letters, digits, dots and hyphens")
    _require_person(by)
    if any(partner.is_own for partner in stores.partners.all()):
        raise Conflict("this agency takes part in the exchange already")
    write_secret(keys, KEY_FILE, secrets.token_bytes(KEY_BYTES))
    public = _private_key(keys).public_key().public_bytes_raw().hex()
    own = ExchangePartner(name, public, by, at, is_own=True)
    stores.partners.approve(own)
    return own


def _private_key(keys: Path) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(read_secret(keys, KEY_FILE))


@dataclass(frozen=True)
class ExchangeNode:
    """This agency with its stores; every method raises ExchangeRefused by name."""

    agency: Agency
    partners: PartnerRepository
    exchange: ExchangeRepository

    @classmethod
    def opened(cls, stores: Stores, keys: Path) -> Self:
        """Return the node of a home; raise NotFound if it never joined the exchange."""
        own = [partner for partner in stores.partners.all() if partner.is_own]
        if not own:
            raise NotFound("this agency takes no part in the exchange; `tidegate exchange join`")
        agency = Agency(own[0].name, _private_key(keys))
        return cls(agency, stores.partners, stores.exchange)

    def make(
        self,
        kind: str,
        details: Mapping[str, Any],
        handling: str,
        distribution: Distribution,
        at: datetime,
        fields: Mapping[str, Any] | None = None,
    ) -> ExchangedObject:
        """Make, sign and store an object of this agency."""
        name = self.agency.name
        fresh = new_object(kind, details, name, handling, distribution, at, fields)
        made = signed_object(fresh, self.agency)
        self.exchange.add_own(_held(made, None, distribution, at))
        return made

    def send(self, object_id: str, to: Collection[str], by: str, at: datetime) -> list[Sending]:
        """Propose an object to partners; what names nobody leaves at once.

        Without `to`, every partner that may get it. Raises for a named partner that may not.
        """
        _require_person(by)
        exchanged, way, distribution = self._found(object_id)
        terms = self._terms()
        found = recipients_of(exchanged.kind.name, distribution, way, terms, at)
        for partner in to:
            if partner not in found:
                self._refuse_partner(exchanged, distribution, way, partner, at)
        chosen = {partner: found[partner] for partner in (to or found)}
        approved = None if exchanged.is_nominal else by
        return self.exchange.propose(_sendings(object_id, chosen, by, approved, at), at)

    def approve(self, delivery_id: str, by: str, at: datetime) -> None:
        """Let a sending leave that names a company, vessel or vehicle; takes a second person."""
        _require_person(by)
        waiting = {each.delivery_id: each for each in self.exchange.waiting()}
        if delivery_id not in waiting:
            raise NotFound("no such sending waits for approval")
        if may_be_one_person(waiting[delivery_id].proposed_by, by):
            raise Conflict("another person must approve it", code="same-reviewer")
        self.exchange.approve(delivery_id, by, at)

    def recall(self, object_id: str, by: str, at: datetime) -> list[Sending]:
        """Take an own object back from every agency that it was sent to."""
        _require_person(by)
        exchanged, _, distribution = self._found(object_id)
        recall = signed_object(recall_of(exchanged, at), self.agency)
        return self.exchange.recall_own(_held(recall, None, distribution, at))

    def document_of(self, sending: Sending) -> Mapping[str, Any] | None:
        """Return what a partner gets; None for an object that was recalled meanwhile."""
        held = self.exchange.held(sending.object_id)
        if held is None or (held.recalled_at is not None) != sending.is_recall:
            return None
        distribution = Distribution.from_document(sending.distribution)
        found = read_object(held.document)
        return delivered(
            found, sending.partner, distribution, self.agency, sending.delivery_id
        ).document

    def take_in(self, document: Mapping[str, Any], sender: str, at: datetime) -> Received:
        """Take in a document of a partner, and pass it on as far as rules allow.

        A refusal is recorded, and nothing else is stored.
        """
        try:
            return self._take_in(document, sender, at)
        except ExchangeRefused as refusal:
            self.exchange.refuse(sender, refusal.name, at)
            raise

    def _take_in(self, document: Mapping[str, Any], sender: str, at: datetime) -> Received:
        # Recalls count from partners too with whom the exchange has ended.
        terms = self._terms(with_ended=bool(document.get("revoked")))
        if sender not in terms:
            raise ExchangeRefused("not-approved", "no exchange with this partner is approved")
        received = receive(document, sender, self.agency.name, self._keys(), at - CLOCK_TOLERANCE)
        exchanged = received.exchanged
        present = self.exchange.held(exchanged.object_id)
        if present is not None and present.originator != exchanged.originator:
            raise ExchangeRefused("tampered", "another agency made this object")
        if not exchanged.is_recall:
            terms[sender].refuse(exchanged.kind.name, received.distribution)
        arrival = Arrival(
            received.delivery_id, exchanged.object_id, sender, exchanged.is_recall, at
        )
        held = _held(exchanged, sender, received.distribution, at)
        if not self.exchange.take_in(arrival, held, self._onward(received, at)):
            raise ExchangeRefused("replayed", "this delivery was taken in before")
        return received

    def _onward(self, received: Received, at: datetime) -> list[Sending]:
        """Return what goes on by a rule that an administrator signed; nothing nominal does."""
        exchanged = received.exchanged
        if exchanged.is_nominal or exchanged.is_recall:
            return []
        signers = {
            partner.name: partner.approved_by
            for partner in self._approved()
            if exchanged.kind.name in partner.kinds_by_rule
        }
        terms = {name: own for name, own in self._terms().items() if name in signers}
        way = (*received.way, self.agency.name)
        kind, distribution = exchanged.kind.name, received.distribution
        found = recipients_of(kind, distribution, way, terms, at)
        return [
            sending
            for partner, narrowed in found.items()
            for sending in _sendings(
                exchanged.object_id,
                {partner: narrowed},
                signers[partner],
                signers[partner],
                at,
            )
        ]

    def _found(self, object_id: str) -> tuple[ExchangedObject, tuple[str, ...], Distribution]:
        """Return an object that is here, its way up to this agency, and what is left to it."""
        held = self.exchange.held(object_id)
        if held is None or held.recalled_at is not None:
            raise NotFound("no such object is here, or it was recalled")
        exchanged = read_object(held.document)
        if held.received_from is None:
            return exchanged, (self.agency.name,), exchanged.distribution
        # Checked as of its arrival: whether it has expired since, the next step will say.
        received = receive(
            held.document, held.received_from, self.agency.name, self._keys(), held.received_at
        )
        return exchanged, (*received.way, self.agency.name), received.distribution

    def _refuse_partner(
        self,
        exchanged: ExchangedObject,
        distribution: Distribution,
        way: tuple[str, ...],
        partner: str,
        at: datetime,
    ) -> None:
        terms = self._terms().get(partner)
        if terms is None:
            raise ExchangeRefused("not-approved", "no exchange with this partner is approved")
        narrowed = distribution.narrowed_to(terms.purposes)
        refuse_step(narrowed, partner, way, at)
        terms.refuse(exchanged.kind.name, narrowed)

    def _approved(self) -> list[ExchangePartner]:
        others = (partner for partner in self.partners.all() if not partner.is_own)
        return [partner for partner in others if partner.ended_at is None]

    def _terms(self, *, with_ended: bool = False) -> dict[str, PartnerTerms]:
        others = [partner for partner in self.partners.all() if not partner.is_own]
        return {
            partner.name: PartnerTerms(
                frozenset(partner.kinds),
                partner.marking,  # type: ignore[arg-type]  # checked when it was approved
                frozenset(partner.purposes),
            )
            for partner in others
            if with_ended or partner.ended_at is None
        }

    def _keys(self) -> dict[str, Ed25519PublicKey]:
        """Return the keys of all agencies, also of former partners: their objects stay theirs."""
        return {
            partner.name: Ed25519PublicKey.from_public_bytes(bytes.fromhex(partner.public_key))
            for partner in self.partners.all()
        }


def _held(
    exchanged: ExchangedObject, sender: str | None, distribution: Distribution, at: datetime
) -> HeldObject:
    return HeldObject(
        object_id=exchanged.object_id,
        kind=exchanged.kind.name,
        originator=exchanged.originator,
        received_from=sender,
        received_at=at,
        expires_at=distribution.expires_at,
        document=exchanged.document,
        recalled_at=at if exchanged.is_recall else None,
    )


def _sendings(
    object_id: str,
    recipients: Mapping[str, Distribution],
    by: str,
    approved_by: str | None,
    at: datetime,
) -> list[Sending]:
    return [
        Sending(
            delivery_id=secrets.token_hex(16),
            object_id=object_id,
            partner=partner,
            distribution=distribution.to_document(),
            proposed_by=by,
            proposed_at=at,
            approved_by=approved_by,
        )
        for partner, distribution in recipients.items()
    ]


def _require_person(by: str) -> None:
    if not names_somebody(by):
        raise Unprocessable("say who does this")
