"""The rules that fields of a request break, by the code that `errors` names them with."""

FAULT_CODES = {
    "amendment_without_instant": "A later version of a record does not say when it became known.",
    "before_declaration": "A subject is to be scored as of an instant before its declaration.",
    "commodity_code": "More than six digits of a goods code: the whole one goes into its item.",
    "contradiction": "Two fields of an outcome cannot both be true.",
    "cursor": "A page was asked for by what is no `next` of a page.",
    "foreign_attachment": "A record inside a submission belongs to another subject.",
    "foreign_office": "A record is about a subject of another office.",
    "instant": "No instant with its offset, as in RFC 3339.",
    "no_goods_code": "A shipment has no goods code, nor an item of the declaration that has one.",
    "not_drawn": "An outcome says that it was drawn, and no decision drew it.",
    "not_selected": "An outcome says that a decision sent somebody, and none did.",
    "other_goods_code": "The goods code of a shipment is another than that of its items.",
    "person_field": "A field would describe a person; none is accepted, whatever it holds.",
    "q": "A search that cannot be searched for.",
    "record_differs": "Another record was kept under this id.",
    "repeated_item": "Two items of a shipment have the same number and version.",
    "standard": "A standard message breaks its standard at this place.",
    "subject": "A submission does not bring what its kind of subject needs, or brings another.",
    "subject_id": "`q` and `subject_id` were both given.",
    "too_long": "More of them than may be, or a longer text.",
    "unknown_code": "A code that its list does not hold.",
    "unknown_field": "A field that the record does not have.",
    "whole_number": "A number of things that has decimals, or is too large to be exact.",
}
"""Our own; the others are pydantic's, as `missing` or `string_pattern_mismatch`."""
