"""What is particular to this machine: the environment (`TIDEGATE_*`), and nothing else."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

Share = Annotated[float, Field(ge=0, le=1)]


class Settings(BaseSettings):
    """The service's settings, read once at the start and passed on.

    Shares are parts of all subjects. `max_body_bytes` holds the largest route that the records
    allow: 5,000 positions (about 130 bytes each) with 500 legs (about 230) are 0.8 MB.
    """

    model_config = SettingsConfigDict(env_prefix="TIDEGATE_", frozen=True)

    home: Path = Path(".tidegate")
    database_url: SecretStr | None = None
    inspect_share: Share = 0.02
    document_check_share: Share = 0.06
    post_review_share: Share = 0.10
    control_probability: Annotated[float, Field(gt=0, le=1)] = 0.01
    max_body_bytes: Annotated[int, Field(ge=1024)] = 1024 * 1024
    max_batch_bytes: Annotated[int, Field(ge=1024)] = 8 * 1024 * 1024
    max_batch_subjects: Annotated[int, Field(ge=1)] = 1_000
    queue_capacity: Annotated[int, Field(ge=1)] = 256
    commit_deadline_s: Annotated[float, Field(gt=0)] = 5.0
    session_minutes: Annotated[int, Field(ge=1, le=600)] = 30

    @property
    def records(self) -> Path:
        """The folder of record files that history starts from."""
        return self.home / "records"

    @property
    def models(self) -> Path:
        """The folder of model artefacts, `<name>/<version>`."""
        return self.home / "models"

    @property
    def keys(self) -> Path:
        """The folder of this installation's secrets."""
        return self.home / "keys"

    @property
    def database(self) -> Path | str:
        """The file or the PostgreSQL URL of decisions and API keys."""
        if self.database_url:
            return self.database_url.get_secret_value()
        return self.home / "tidegate.db"
