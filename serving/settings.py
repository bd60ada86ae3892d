"""What is particular to this machine: the environment (`TIDEGATE_*`), and nothing else."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

Share = Annotated[float, Field(ge=0, le=1)]
Purpose = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]


class Settings(BaseSettings):
    """The service's settings, read once at the start and passed on.

    Shares are parts of all subjects; `disputed_control_probability` is the least probability of the
    control draw for what a challenger would select and the champion does not. `max_body_bytes`
    holds the largest route that the records allow: 5,000 positions (about 130 bytes each) with 500
    legs (about 230) are 0.8 MB.
    `token_keys` is the JWKS of the server that issues access tokens, a file or an https address;
    without it no token is taken. Rates are subjects per second and key, in each process, which
    holds `most_in_flight` requests and turns the rest away. `witness` is where checkpoints of the
    log are also written, best on another machine. `rescue_webhook` is called for every decision in
    the rescue lane, signed with `rescue_secret` (`whsec_…`, as Standard Webhooks has it);
    `alert_webhook` and `alert_secret` are the same for alerts of `tidegate monitor`. `mlflow_ui` is
    the address that the page of models leads to for a run. With `oidc_issuer` people may sign in
    with an account of their organisation; `public_address` is how browsers reach this service,
    where that is not how it is called itself. `purpose` is what data come and are used for here: a
    database stays with the first it was served for.
    """

    model_config = SettingsConfigDict(env_prefix="TIDEGATE_", frozen=True)

    home: Path = Path(".tidegate")
    is_live: bool = False
    database_url: SecretStr | None = None
    inspect_share: Share = 0.02
    document_check_share: Share = 0.06
    post_review_share: Share = 0.10
    control_probability: Annotated[float, Field(gt=0, le=1)] = 0.01
    disputed_control_probability: Share = 0.10
    max_body_bytes: Annotated[int, Field(ge=1024)] = 1024 * 1024
    max_batch_bytes: Annotated[int, Field(ge=1024)] = 8 * 1024 * 1024
    max_batch_subjects: Annotated[int, Field(ge=1)] = 1_000
    queue_capacity: Annotated[int, Field(ge=1)] = 256
    commit_deadline_s: Annotated[float, Field(gt=0)] = 5.0
    token_keys: str | None = None
    token_audience: str = "tidegate"  # noqa: S105 - a name, no secret
    token_issuer: str | None = None
    rate_per_s: Annotated[float, Field(gt=0)] = 1_000.0
    rate_burst: Annotated[float, Field(ge=1)] = 5_000.0
    most_in_flight: Annotated[int, Field(ge=1)] = 64
    telemetry: bool = False
    receive_deadline_s: Annotated[float, Field(gt=0)] = 10.0
    checkpoint_every: Annotated[int, Field(ge=1)] = 1_000
    checkpoint_within_s: Annotated[float, Field(gt=0)] = 60.0
    witness: Path | None = None
    max_attachment_bytes: Annotated[int, Field(ge=1024)] = 8 * 1024 * 1024
    rescue_webhook: str | None = None
    rescue_secret: SecretStr | None = None
    alert_webhook: str | None = None
    alert_secret: SecretStr | None = None
    mlflow_ui: Annotated[str, Field(pattern=r"^https?://")] | None = None
    public_address: Annotated[str, Field(pattern=r"^https?://")] | None = None
    oidc_issuer: str | None = None
    oidc_client_id: str = "tidegate"
    oidc_client_secret: SecretStr | None = None
    oidc_role_claim: str = "roles"
    oidc_role_prefix: str = "tidegate-"
    purpose: Purpose = "risk_assessment"
    session_minutes: Annotated[int, Field(ge=1, le=600)] = 30

    @model_validator(mode="after")
    def _let_a_batch_through(self) -> Self:
        if self.rate_burst <= self.max_batch_subjects:
            raise ValueError("rate_burst must be larger than max_batch_subjects")
        return self

    @property
    def records(self) -> Path:
        """The folder of record files that the online state is made from."""
        return self.home / "records"

    @property
    def state(self) -> Path:
        """The folder of the online state, made from the record files where there is none."""
        return self.home / "state"

    @property
    def models(self) -> Path:
        """The folder of model artefacts, `<name>/<version>`."""
        return self.home / "models"

    @property
    def plan(self) -> Path:
        """The plan of the lanes: capacities, watch-lists and rules; none is needed."""
        return self.home / "lanes.toml"

    @property
    def impact(self) -> Path:
        """The deployer's assessment of the impact on rights; live use does not begin without."""
        return self.home / "impact.toml"

    @property
    def incidents(self) -> Path:
        """The folder of frozen incidents, one folder each."""
        return self.home / "incidents"

    @property
    def retention(self) -> Path:
        """The deployer's periods after which data end; nothing is erased without."""
        return self.home / "retention.toml"

    @property
    def erasures(self) -> Path:
        """The folder of signed certificates of what was erased."""
        return self.home / "erasures"

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

    @property
    def witness_file(self) -> Path:
        """The file that every checkpoint is appended to; best where the service can only append."""
        return self.witness or self.home / "checkpoints.ndjson"


def settings_of(home: Path, database_url: str | None = None) -> Settings:
    """The environment's settings, with the home and database that a command was given."""
    if database_url is None:
        return Settings(home=home)
    return Settings(home=home, database_url=SecretStr(database_url))
