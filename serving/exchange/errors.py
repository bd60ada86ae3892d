"""The refusals of the exchange, each by its name."""

from typing import Literal

from features.errors import TidegateError

RefusalName = Literal[
    "malformed",
    "too-large",
    "names-a-person",
    "unknown-field",
    "unknown-kind",
    "unknown-signer",
    "tampered",
    "misaddressed",
    "looped",
    "widened",
    "over-marked",
    "not-approved",
    "expired",
    "replayed",
]


class ExchangeRefused(TidegateError):
    """An object or a delivery is refused; `name` is the reason, and the text repeats no value."""

    def __init__(self, name: RefusalName, says: str):
        super().__init__(f"{name}: {says}")
        self.name = name
