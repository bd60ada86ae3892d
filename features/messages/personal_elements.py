"""Recognise elements about a party, which may be a person.

Everything that a message states about a party is withheld, except for the number behind its
pseudonym: no rule can tell a company's name, address or contact from a person's.
"""

import re
from functools import lru_cache

from features.persons import describes_a_person

_PARTY = re.compile(r"(party|parties|pty|pties|persons?|contact|contacts|signatory|endorsement)$")
_NAMED = frozenset(
    """
    dbtr cdtr ultmtdbtr ultmtcdtr initgpty ownr invcr invcee tradgpty rtrn orgtr
    dbtracct cdtracct acctownr ctctdtls prvtid orgid
    shipper consignee endorsee issueto bookingagent serviceContractOwner carrierbookingoffice
    emergencycontactdetails partycontactdetails documentparties contactinformation
    definedtradecontact pstladr postaladdress postalstructuredaddress freightforwarderaddress
    signatoryconsignorauthentication signatorycarrierauthentication signatory
    address addressline
    addtlntryinf ustrd addtlrmtinf includedcustomsnote otherparty
    """.lower().split()
)
# Names of things that the vocabulary for persons' names would match.
_OF_THINGS = frozenset(
    """
    vesselname locationname chargename facilityname countryname propershippingname issuername
    countrysubdivisionname name
    """.split()
)


@lru_cache(maxsize=10_000)
def tells_of_a_party(path: str) -> bool:
    """Return whether an element at this path may describe a person.

    >>> tells_of_a_party("/Invoice/AccountingSupplierParty/Party/PartyName/Name")
    True
    >>> tells_of_a_party("/events/transportCall/vessel/vesselName"), tells_of_a_party("NAD+CN/4/1")
    (False, True)
    """
    names = [name.lower() for name in path.split("/") if name]
    if any(_PARTY.search(name) or name in _NAMED for name in names):
        return True
    if names and names[0].partition("+")[0] in ("nad", "cta", "com"):
        return True
    leaf = path.rsplit("/", 1)[-1]
    return leaf.lower() not in _OF_THINGS and describes_a_person(leaf)
