"""LightGBM without scikit-learn.

LightGBM loads it where it is installed, which takes half of a worker's start, for a wrapper of its
own that nothing here uses.
"""

import sys

_known = sys.modules.get("sklearn")
sys.modules["sklearn"] = _known  # type: ignore[assignment]  # None makes the import fail
try:
    import lightgbm
finally:
    if _known is None:
        del sys.modules["sklearn"]

__all__ = ["lightgbm"]
