"""Second factor: one-time codes from an app (TOTP, RFC 6238), and recovery codes.

A code works once, within its own half minute, the one before or the one after.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime

import pyotp
import segno

STEP_S = 30
STEPS_AROUND = 1
RECOVERY_CODES = 10
ISSUER = "Tidegate"
# Without letters and digits that look alike.
_LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
_RECOVERY_LENGTH, _BLOCK = 30, 5  # of 31 letters: 148 bits, so that a plain hash is enough


@dataclass(frozen=True)
class SecondFactor:
    """Secret of an account's codes; it is not required before a first code confirmed it."""

    secret: str
    confirmed_at: datetime | None
    last_step: int
    recovery_codes: int

    @property
    def is_confirmed(self) -> bool:
        """Return whether the holder proved to have the secret."""
        return self.confirmed_at is not None

    def step_of(self, code: str, now: datetime) -> int | None:
        """Return the time step of a valid, unused code, else None."""
        maker = pyotp.TOTP(self.secret, interval=STEP_S)
        current = int(now.timestamp()) // STEP_S
        given = "".join(code.split()).encode()
        steps = range(current - STEPS_AROUND, current + STEPS_AROUND + 1)
        # Compare with every step, so that the time taken does not depend on which one matches.
        fitting = [s for s in steps if hmac.compare_digest(maker.generate_otp(s).encode(), given)]
        return next((step for step in fitting if step > self.last_step), None)

    def address(self, account: str) -> str:
        """Return the `otpauth` address in the QR code."""
        return pyotp.TOTP(self.secret).provisioning_uri(name=account, issuer_name=ISSUER)

    def picture(self, account: str) -> str:
        """Return the QR code of the address as self-contained SVG."""
        drawn: str = segno.make(self.address(account), micro=False).svg_inline(
            scale=5, svgclass=None, lineclass=None, dark="#000", light="#fff"
        )
        return drawn


def new_factor_secret() -> str:
    """Return a secret of 160 random bits in base32, the form that apps expect."""
    return pyotp.random_base32(32)


def new_recovery_codes() -> tuple[str, ...]:
    """Return new recovery codes, each for one sign-in without the app."""
    return tuple(_new_recovery_code() for _ in range(RECOVERY_CODES))


def recovery_hash(code: str) -> str:
    """Return the stored hash of a recovery code, ignoring the grouping of its letters."""
    letters = "".join(filter(str.isalnum, code)).upper()
    return hashlib.sha256(letters.encode()).hexdigest()


def _new_recovery_code() -> str:
    letters = "".join(secrets.choice(_LETTERS) for _ in range(_RECOVERY_LENGTH))
    return "-".join(letters[n : n + _BLOCK] for n in range(0, _RECOVERY_LENGTH, _BLOCK))
