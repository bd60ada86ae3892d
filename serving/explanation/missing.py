"""What the submission did not bring, in words."""

_RECORDS = {
    "journey": "the journey",
    "legs": "the legs of the journey",
    "positions": "the positions of the conveyance",
    "documents": "any document",
    "transactions": "any payment",
}


def missing_in_words(missing: str) -> str:
    """One of the paths that `features.vector.missing_inputs` gives, as a person says it.

    >>> missing_in_words("documents.packing_list"), missing_in_words("shipment.net_mass_kg")
    ('the packing list', 'net mass kg of the shipment')
    """
    if missing in _RECORDS:
        return _RECORDS[missing]
    record, _, field = missing.partition(".")
    readable = field.replace("_", " ")
    return f"the {readable}" if record == "documents" else f"{readable} of the {record}"
