"""The settings of this machine, from the environment (`TIDEGATE_*`) only."""

import ipaddress
import os
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    BaseModel,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from features.errors import TidegateError, in_own_words
from features.rescoring_rules import RescoringRules
from serving.host_names import KnownHosts
from serving.purposes import Purpose

Share = Annotated[float, Field(ge=0, le=1)]

OTLP_ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
MLFLOW_URI = "TIDEGATE_MLFLOW_URI"

_ROLE = "(reviewer|supervisor|rescue|data_scientist|auditor|admin)"
SOME_ROLES = f"^(all|none|{_ROLE}(,{_ROLE})*)$"


def _web_address(uri: str | None) -> str | None:
    return uri if uri is not None and uri.startswith(("http://", "https://")) else None


def _between_commas(text: Any) -> Any:
    return [name for each in text.split(",") if (name := each.strip())]


Names = Annotated[
    tuple[str, ...],
    NoDecode,  # the environment variable is comma-separated, not JSON
    BeforeValidator(lambda given: _between_commas(given) if isinstance(given, str) else given),
]


class FixedLimits(BaseModel):
    """Limits whose defaults fit every deployment; no environment variable changes them.

    Each was a setting that nobody had a reason to change. Tests give others by keyword.
    """

    # What a champion and a challenger disagree about teaches most, so a tenth of it is drawn.
    disputed_control_probability: Share = 0.10
    # The decision queue is bounded so that a slow disk answers 503 instead of filling memory.
    queue_capacity: Annotated[int, Field(ge=1)] = 256
    commit_deadline_s: Annotated[float, Field(gt=0)] = 5.0
    # Entra ID issues access tokens for 60 to 90 minutes; one that lives longer is hard to revoke.
    max_token_minutes: Annotated[float, Field(gt=0, le=1_440)] = 90
    # A burst has to hold the largest batch, or that batch could never be submitted.
    rate_burst: Annotated[float, Field(ge=1)] = 5_000.0
    max_batch_subjects: Annotated[int, Field(ge=1)] = 1_000
    # One caller can fill a group of the batcher. Half of `max_in_flight`, so that it cannot take
    # every place.
    max_in_flight_per_caller: Annotated[int, Field(ge=1)] = 64
    # An upper bound only: fewer connections are taken where the process may open few files.
    max_connections: Annotated[int, Field(ge=16)] = 1_024
    # A client that sends slowly on purpose must not hold a connection for long.
    receive_deadline_s: Annotated[float, Field(gt=0)] = 10.0
    # Decisions after the newest checkpoint are not proven by a witness: keep that gap short.
    checkpoint_every: Annotated[int, Field(ge=1)] = 1_000
    checkpoint_within_s: Annotated[float, Field(gt=0)] = 60.0
    max_attachment_bytes: Annotated[int, Field(ge=1024)] = 8 * 1024 * 1024
    max_case_attachment_bytes: Annotated[int, Field(ge=1024)] = 32 * 1024 * 1024
    max_attachment_bytes_per_day: Annotated[int, Field(ge=1024)] = 256 * 1024 * 1024
    attachment_scan_s: Annotated[float, Field(gt=0, le=300)] = 30.0
    # Free disk space that only decisions and small records may use; everything else gets a 507.
    disk_reserve_bytes: Annotated[int, Field(ge=0)] = 512 * 1024 * 1024
    # Five days: an endpoint that fails over a long weekend is still called on the Tuesday.
    webhook_off_after_hours: Annotated[float, Field(gt=0, le=720)] = 120
    min_rescore_minutes: Annotated[float, Field(gt=0)] = 60
    max_rescores_per_subject: Annotated[int, Field(ge=0)] = 12
    max_rescore_days_after_due: Annotated[float, Field(ge=0)] = 14
    # A case escalates when a quarter of its time is left, or four hours if that is less.
    escalation_share: Share = 0.25
    escalation_hours: Annotated[float, Field(ge=0, le=240)] = 4.0
    # A desk is left unattended for lunch, and a shift has at most twelve hours.
    session_minutes: Annotated[int, Field(ge=1, le=600)] = 30
    session_hours: Annotated[int, Field(ge=1, le=24)] = 12
    confirm_minutes: Annotated[int, Field(ge=1, le=600)] = 10
    first_password_hours: Annotated[int, Field(ge=1, le=720)] = 72
    # Without a list, live use requires a second factor of everyone and a trial of no one.
    second_factor_roles: Annotated[str, Field(pattern=SOME_ROLES)] | None = None
    # An officer who sees the score first follows it, so a judgement of their own comes first.
    is_score_after_judgement: bool = True
    docs_are_open: bool = True
    # The groups of the identity provider are shared with other services, hence the prefix.
    oidc_role_prefix: str = "tidegate-"
    # OpenTelemetry's own variable says where traces go; without it there is nowhere to send them.
    telemetry: bool = Field(default_factory=lambda: OTLP_ENDPOINT in os.environ)
    # MLflow's address has pages too where it is a server and not a database.
    mlflow_ui: str | None = Field(default_factory=lambda: _web_address(os.environ.get(MLFLOW_URI)))


class _EnvironmentSource(EnvSettingsSource):
    """The environment without the names of fixed limits."""

    def __call__(self) -> dict[str, Any]:
        return {
            name: value
            for name, value in super().__call__().items()
            if name not in FixedLimits.model_fields
        }


class Settings(FixedLimits, BaseSettings):
    """The service's settings, read once at the start and passed on.

    `deploy/settings_page.py` generates `docs/configuration.md` from them.
    """

    model_config = SettingsConfigDict(env_prefix="TIDEGATE_", frozen=True)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        *_: PydanticBaseSettingsSource,
        **__: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read keywords first, then the environment; no files of variables or secrets."""
        return init_settings, _EnvironmentSource(settings_cls)

    home: Path = Field(
        default=Path(".tidegate"),
        description="The folder that holds all state: records, models, keys, the database.",
    )
    is_live: bool = Field(
        default=False,
        description="Whether decisions count. Live use needs a complete impact assessment; "
        "without it the service is a trial and says so on every page.",
    )
    database_url: SecretStr | None = Field(
        default=None,
        description="A PostgreSQL address (`postgresql://…`). Without it the database is the "
        "SQLite file `HOME/tidegate.db`. Several hosts need PostgreSQL.",
    )
    time_zone: str | None = Field(
        default=None,
        description="The time zone that the console shows beside UTC to whoever has not chosen one "
        "on the page of their account, such as `Europe/Berlin`; UTC alone without it.",
    )
    inspect_share: Share = Field(
        default=0.02,
        description="The part of all subjects that goes to inspection, where `HOME/lanes.toml` "
        "sets no capacity.",
    )
    document_check_share: Share = Field(
        default=0.06, description="The same for the check of documents."
    )
    post_review_share: Share = Field(
        default=0.10, description="The same for the review afterwards."
    )
    control_probability: Annotated[float, Field(gt=0, le=1)] = Field(
        default=0.01,
        description="The least probability of a random draw for control. It is never 0, or "
        "nothing could be measured.",
    )
    blind_share: Share = Field(
        default=0.1,
        description="The share of cases whose first judgement is made without lane, place in the "
        "queue and reasons, so that agreement with the score can be measured.",
    )
    max_body_bytes: Annotated[int, Field(ge=1024)] = Field(
        default=1024 * 1024,
        description="The largest body with one subject. The largest route that records allow "
        "(5,000 positions and 500 legs) is 0.8 MB.",
    )
    max_batch_bytes: Annotated[int, Field(ge=1024)] = Field(
        default=8 * 1024 * 1024, description="The largest body with many subjects or records."
    )
    max_message_bytes: Annotated[int, Field(ge=1024)] = Field(
        default=16 * 1024 * 1024,
        description="The largest message of a standard, such as a manifest, that is read.",
    )
    token_keys: str | None = Field(
        default=None,
        description="The public keys (JWKS) of the server that issues access tokens: a file or an "
        "https address. Without them no token is accepted.",
    )
    token_audience: str = Field(
        default="tidegate", description="The audience (`aud`) that an access token must name."
    )
    token_issuer: str | None = Field(
        default=None, description="The issuer (`iss`) that an access token must name."
    )
    token_scope_prefixes: Names = Field(
        default=(),
        description="What may stand before a scope in a token, with commas between. The audience "
        "with a slash, as in `api://tidegate/score`, always may.",
    )
    token_role_claim: str = Field(
        default="roles",
        description="The claim of an access token whose roles are scopes too. Separate the "
        "levels of a path by dots, as in `realm_access.roles`; write a dot inside a name as `\\.`.",
    )
    subject_claim: str = Field(
        default="sub",
        description="The claim that tells one person from all others of an issuer, in access "
        "tokens and at sign-in alike. For Entra ID `oid`: its `sub` differs from client to client.",
    )
    rate_per_s: Annotated[float, Field(gt=0)] = Field(
        default=1_000.0,
        description="The subjects per second that one key may submit to all workers of a machine.",
    )
    max_in_flight: Annotated[int, Field(ge=1)] = Field(
        default=128,
        description="The requests that one process answers at the same time. The next one gets a "
        "503 at once.",
    )
    max_body_bytes_in_flight: Annotated[int, Field(ge=1024)] = Field(
        default=32 * 1024 * 1024,
        description="The bytes of bodies larger than 64 KiB that one process holds at the same "
        "time, of which one caller may have half. Whoever sends more gets a 503 at once.",
    )
    witness: str | None = Field(
        default=None,
        description="Who keeps every checkpoint too, best on other machines: files, `https://` "
        "addresses and `command:PROGRAM ARGUMENTS`, with `;` between. Without any that is the file "
        "`HOME/checkpoints.ndjson`.",
    )
    witness_secret: SecretStr | None = Field(
        default=None,
        description="The secret that signs checkpoints to addresses (`whsec_…`).",
    )
    attachment_scanner: str | None = Field(
        default=None,
        description="The command that sees every file before it is kept, on its standard input, "
        "as `clamdscan --no-summary -`. No shell reads it. Only a file after which it ends with 0 "
        "is kept.",
    )
    rescue_webhook: str | None = Field(
        default=None,
        description="The address that is called for every decision in the lane `rescue`, until a "
        "person acknowledges, where `HOME/rescue.toml` names no coordination centres.",
    )
    rescue_secret: SecretStr | None = Field(
        default=None,
        description="The secret that signs rescue calls (`whsec_…`, Standard Webhooks) to centres "
        "without one of their own.",
    )
    rescue_mail_password: SecretStr | None = Field(
        default=None,
        description="The password of the mail server that `HOME/rescue.toml` names, where it has a "
        "`user_name`.",
    )
    alert_webhook: str | None = Field(
        default=None, description="The address that gets the alerts of `tidegate monitor`."
    )
    alert_secret: SecretStr | None = Field(
        default=None, description="The secret that signs those alerts (`whsec_…`)."
    )
    webhook_networks: Names = Field(
        default=(),
        description="The networks (`10.1.0.0/16`) that webhooks may lead to though they are not "
        "public, with commas between. Addresses of this machine, private ones and those by which "
        "clouds answer their machines are refused without.",
    )
    public_address: Annotated[str, Field(pattern=r"^https?://")] | None = Field(
        default=None,
        description="How browsers reach this service, where a proxy stands before it. Sign-in with "
        "an organisation comes back to it, and forms are taken from its pages.",
    )
    trusted_hosts: Names = Field(
        default=(),
        description="The host names that requests may be for, with commas between; `*.example.org` "
        "is every name below. That of the public address and those of this machine always may. "
        "Without either, a trial answers to any, and live use only on this machine.",
    )
    behind_proxy: bool = Field(
        default=False,
        description="Whether a proxy that speaks TLS stands before the service (`--behind-proxy`). "
        "Then the scheme and address that it forwards are believed.",
    )
    trusted_proxies: Names = Field(
        default=("127.0.0.1", "::1"),
        description="The addresses or networks of that proxy, with commas between.",
    )
    tls_cert: Path | None = Field(
        default=None,
        description="The certificate chain (PEM) to speak TLS with (`--tls-cert`).",
    )
    tls_key: Path | None = Field(
        default=None, description="The private key of that certificate (PEM, `--tls-key`)."
    )
    open_networks: Names = Field(
        default=(),
        description="The addresses or networks (`10.1.0.0/16`) that may read `/docs`, "
        "`/openapi.json` and `/metrics` without a key, with commas between. Behind a proxy that "
        "is not trusted, no address is believed.",
    )
    oidc_issuer: str | None = Field(
        default=None,
        description="The identity provider (OpenID Connect) that people may sign in with.",
    )
    oidc_client_id: str = Field(
        default="tidegate", description="The name of this service at the provider."
    )
    oidc_client_secret: SecretStr | None = Field(
        default=None, description="The secret of this service at the provider."
    )
    oidc_role_claim: str = Field(
        default="roles",
        description="The claim of a provider's token that lists roles. Separate the levels of a "
        "path by dots, as in `realm_access.roles`; write a dot inside a name as `\\.`.",
    )
    oidc_role_order: Names = Field(
        default=(),
        description="Which role counts for whoever has several there, the first in this order, "
        "with commas between. Without it they are not let in.",
    )
    purpose: Purpose = Field(
        default="risk_assessment",
        description="What data are used for here. A database stays with the purpose that it was "
        "first served for.",
    )
    arrivals_are_reported: bool = Field(
        default=False,
        description="Whether arrivals of small craft and fishing vessels, or positions until then, "
        "always reach this service. Then each that is overdue is an alarm; else only those that "
        "were heard since they were declared.",
    )
    keys_passphrase_file: Path | None = Field(
        default=None,
        description="The file whose first line opens `HOME/keys`, where `tidegate keys wrap` "
        "encrypted them under a passphrase; on another disk, readable by the service only.",
    )
    keys_unwrap_command: str | None = Field(
        default=None,
        description="The command that opens `HOME/keys`, where a command wrapped them (of a KMS, "
        "say): what was wrapped on standard input, the key on standard output.",
    )

    @field_validator("trusted_proxies", "webhook_networks", "open_networks")
    @classmethod
    def _name_networks(cls, proxies: tuple[str, ...]) -> tuple[str, ...]:
        for each in proxies:
            # Raises ValueError for anything else, including `*`, which would trust everyone.
            ipaddress.ip_network(each)
        return proxies

    @field_validator("witness", mode="before")
    @classmethod
    def _name_a_file(cls, witness: object) -> object:
        return str(witness) if isinstance(witness, Path) else witness

    @field_validator("time_zone")
    @classmethod
    def _name_a_zone(cls, name: str | None) -> str | None:
        if name is not None and name not in available_timezones():
            raise ValueError("is no time zone of the IANA database; want one such as Europe/Berlin")
        return name

    @model_validator(mode="after")
    def _let_a_batch_through(self) -> Self:
        if self.rate_burst <= self.max_batch_subjects:
            raise ValueError("rate_burst must be larger than max_batch_subjects")
        if self.max_body_bytes_in_flight // 2 < max(
            self.max_body_bytes,
            self.max_batch_bytes,
            self.max_attachment_bytes,
            self.max_message_bytes,
        ):
            raise ValueError("max_body_bytes_in_flight must hold the largest body twice")
        if self.max_attachment_bytes > min(
            self.max_case_attachment_bytes, self.max_attachment_bytes_per_day
        ):
            raise ValueError("no limit of attachments may be lower than max_attachment_bytes")
        return self

    @property
    def are_docs_for_all(self) -> bool:
        """True if the API description needs neither key nor session."""
        return self.docs_are_open and not self.is_live

    def asks_second_factor(self, role: str) -> bool:
        """Return True if people with this role must sign in with a second factor."""
        wanted = self.second_factor_roles or ("all" if self.is_live else "none")
        return wanted == "all" or role in wanted.split(",")

    @property
    def webhook_off_after(self) -> timedelta:
        """The duration of failures after which a webhook endpoint is switched off."""
        return timedelta(hours=self.webhook_off_after_hours)

    @property
    def default_time_zone(self) -> ZoneInfo | None:
        """The time zone shown next to UTC for accounts without one of their own."""
        return ZoneInfo(self.time_zone) if self.time_zone else None

    @property
    def escalation_rule(self) -> tuple[float, timedelta]:
        """The remaining time at which a case escalates: a share of its time, and a maximum."""
        return self.escalation_share, timedelta(hours=self.escalation_hours)

    @property
    def session_lasting(self) -> timedelta:
        """The idle timeout of a session."""
        return timedelta(minutes=self.session_minutes)

    @property
    def session_longest(self) -> timedelta:
        """The maximum lifetime of a session."""
        return timedelta(hours=self.session_hours)

    @property
    def rescoring_rules(self) -> RescoringRules:
        """The rules for scoring subjects again."""
        return RescoringRules(
            least_between=timedelta(minutes=self.min_rescore_minutes),
            most_per_subject=self.max_rescores_per_subject,
            longest_after_due=timedelta(days=self.max_rescore_days_after_due),
        )

    @property
    def known_hosts(self) -> KnownHosts:
        """The host names of this service."""
        return KnownHosts(self.trusted_hosts, self.public_address)

    @property
    def records(self) -> Path:
        """The folder of record files from which the online feature store is built."""
        return self.home / "records"

    @property
    def state(self) -> Path:
        """The folder of the online feature store; built from record files if missing."""
        return self.home / "state"

    @property
    def models(self) -> Path:
        """The folder of model artefacts, `<name>/<version>`."""
        return self.home / "models"

    @property
    def plan(self) -> Path:
        """The optional file of the lane plan: capacities, watch-lists and rules."""
        return self.home / "lanes.toml"

    @property
    def impact(self) -> Path:
        """The file of the deployer's impact assessment, which live use requires."""
        return self.home / "impact.toml"

    @property
    def letters(self) -> Path:
        """The file of contacts named in letters; without it no letter is written."""
        return self.home / "letters.toml"

    @property
    def accounts_of_cases(self) -> Path:
        """The folder of sealed disclosures of cases, for courts and authorities."""
        return self.home / "accounts"

    @property
    def rescue_secrets(self) -> dict[str, str]:
        """The key that signs rescue calls and the mail password; empty where not set."""
        secrets = {"secret": self.rescue_secret, "mail_password": self.rescue_mail_password}
        return {name: each.get_secret_value() if each else "" for name, each in secrets.items()}

    @property
    def rescue_centres(self) -> Path:
        """The file of rescue centres to call, which live use requires."""
        return self.home / "rescue.toml"

    @property
    def incidents(self) -> Path:
        """The folder of frozen incidents, with one subfolder each."""
        return self.home / "incidents"

    @property
    def retention(self) -> Path:
        """The file of the deployer's retention periods; without it nothing is erased."""
        return self.home / "retention.toml"

    @property
    def erasures(self) -> Path:
        """The folder of signed erasure certificates."""
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
    def witnesses(self) -> tuple[str, ...]:
        """The witnesses that store every checkpoint; best where the service can only append."""
        named = [name.strip() for name in (self.witness or "").split(";")]
        return tuple(filter(None, named)) or (str(self.home / "checkpoints.ndjson"),)


def settings_of(home: Path, database_url: str | None = None) -> Settings:
    """Read the settings from the environment, with the home and database given to a command.

    Raises TidegateError, which names every invalid variable but not its value.
    """
    try:
        if database_url is None:
            return Settings(home=home)
        return Settings(home=home, database_url=SecretStr(database_url))
    except ValidationError as error:
        faults = error.errors(include_input=False, include_url=False)
        said = "; ".join(
            f"{_variable_of(fault['loc'])}: {in_own_words(fault['msg'])}" for fault in faults
        )
        raise TidegateError(f"{said} (docs/configuration.md has every setting)") from None


def _variable_of(place: tuple[int | str, ...]) -> str:
    """Return the environment variable of a setting; "settings" if several are invalid together."""
    return f"TIDEGATE_{str(place[0]).upper()}" if place else "settings"
