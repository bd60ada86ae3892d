"""Codes of the labels whose distinct values are counted, stable across restarts."""

import numpy as np

from features.engine.columns import Column
from features.engine.store.blob_store import BlobTransaction
from features.engine.store.raw_columns import Texts
from features.engine.store.store_keys import shortened
from features.engine.windows.reducers import MISSING

_TEXT = b"t"
_SIZE = b"m" + b"texts"


def label_ids(store: BlobTransaction, column: Texts | Column) -> Column:
    """Return one int64 per row, equal for equal values; new texts get the next code."""
    if not isinstance(column, list):
        # Adding 0.0 turns -0.0 into 0.0, which has other bits but is equal.
        return np.where(np.isnan(column), MISSING, (column + 0.0).view(np.int64))
    texts = sorted({text for text in column if text is not None})
    keys = [_TEXT + shortened(text).encode() for text in texts]
    kept = store.get(keys)
    learnt = _learnt(store, [key for key, blob in zip(keys, kept, strict=True) if blob is None])
    codes: dict[str | None, int] = {
        text: learnt[key] if blob is None else int.from_bytes(blob, "big")
        for text, key, blob in zip(texts, keys, kept, strict=True)
    }
    codes[None] = MISSING
    return np.array([codes[text] for text in column], np.int64)


def _learnt(store: BlobTransaction, keys: list[bytes]) -> dict[bytes, int]:
    if not keys:
        return {}
    (size,) = store.get([_SIZE])
    first = int.from_bytes(size or b"", "big")
    learnt = {key: first + at for at, key in enumerate(keys)}
    store.put((key, code.to_bytes(8, "big")) for key, code in learnt.items())
    store.put([(_SIZE, (first + len(learnt)).to_bytes(8, "big"))])
    return learnt
