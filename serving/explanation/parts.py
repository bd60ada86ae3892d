"""What is stored with a decision and shown."""

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    """Base of what is stored with a decision and shown: frozen, closed, finite."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
