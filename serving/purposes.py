"""The form of a purpose: what data came for, or what the holder of a key acts for."""

from typing import Annotated

from pydantic import Field

# Lower-case letters, digits and underscores, as `risk_assessment`.
Purpose = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
