"""Codes of the texts whose different values are counted, the same after every restart."""

import numpy as np

from features.columns import Column, is_missing, is_text
from features.state.layout import MISSING
from features.state.store import Writing
from features.vocabulary import VOCABULARY

_TEXT = b"t"
_SIZE = b"m" + b"texts"


def label_codes(store: Writing, column: Column) -> Column:
    """One int64 per row, equal where the values are equal; new texts get the next code."""
    if not is_text(column):
        return np.where(is_missing(column), MISSING, (column + 0.0).view(np.int64))
    codes, places = VOCABULARY.distinct(column)
    keys = [_TEXT + text.encode() for text in VOCABULARY.texts_of(codes)]
    kept = store.get(keys)
    learnt = _learnt(store, [key for key, blob in zip(keys, kept, strict=True) if blob is None])
    labels = [
        learnt[key] if blob is None else int.from_bytes(blob, "big")
        for key, blob in zip(keys, kept, strict=True)
    ]
    return np.array([*labels, MISSING], np.int64)[places]


def _learnt(store: Writing, keys: list[bytes]) -> dict[bytes, int]:
    if not keys:
        return {}
    (size,) = store.get([_SIZE])
    first = int.from_bytes(size or b"", "big")
    learnt = {key: first + at for at, key in enumerate(keys)}
    store.put((key, code.to_bytes(8, "big")) for key, code in learnt.items())
    store.put([(_SIZE, (first + len(learnt)).to_bytes(8, "big"))])
    return learnt
