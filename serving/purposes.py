"""The format of a purpose, for which data was received or a key may act."""

from typing import Annotated

from pydantic import Field

# Lower-case letters, digits and underscores, for example `risk_assessment`.
Purpose = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
