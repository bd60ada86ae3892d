"""What the submission did not bring, in words."""

_RECORDS = {
    "journey": "the journey",
    "legs": "the legs of the journey",
    "positions": "the positions of the conveyance",
    "documents": "any document",
    "transactions": "any payment",
}


_NOT_SAID = ("_id", "_kg", "_m3", "_at")


def missing_in_words(missing: str) -> str:
    """One of the paths that `features.vector.missing_inputs` gives, as a person says it.

    >>> missing_in_words("documents.packing_list"), missing_in_words("shipment.net_mass_kg")
    ('the packing list', 'the net mass')
    """
    if missing in _RECORDS:
        return _RECORDS[missing]
    name = missing.rpartition(".")[2]
    for ending in _NOT_SAID:
        name = name.removesuffix(ending)
    return f"the {name.replace('_', ' ')}"
