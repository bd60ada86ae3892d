"""What every shape that leaves has in common."""

from pydantic import BaseModel, ConfigDict


class Shape(BaseModel):
    """Base of the shapes: closed, so that the description and the answer can't part."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
