"""Settings of a stream from the environment: the service's address and all credentials."""

import ssl
from pathlib import Path
from typing import Any

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from features.errors import TidegateError

# Properties that a file must not set: they decide where to connect and that each message gets
# exactly one decision.
OURS: tuple[str, ...] = (
    "bootstrap.servers",
    "group.id",
    "enable.auto.commit",
    "enable.auto.offset.store",
)
OURS += ("enable.idempotence", "acks", "partition.assignment.strategy", "group.protocol")


class StreamSettings(BaseSettings):
    """The variables `TIDEGATE_*` that `tidegate stream` reads."""

    model_config = SettingsConfigDict(env_prefix="TIDEGATE_", frozen=True)

    address: str = Field(
        default="http://127.0.0.1:8000", description="Where the service is, without `/v1`."
    )
    key: SecretStr | None = Field(default=None, description="Its API key.")
    key_file: Path | None = Field(
        default=None, description="A file that holds the API key, in place of `TIDEGATE_KEY`."
    )
    kafka_properties: Path | None = Field(
        default=None,
        description="A file of lines `name=value` for Kafka, by the names of librdkafka: "
        "`security.protocol`, `sasl.*`, `ssl.*` and others.",
    )
    nats_creds: Path | None = Field(default=None, description="A file of NATS credentials.")
    nats_user: str | None = Field(default=None, description="The user of NATS.")
    nats_password: SecretStr | None = Field(default=None, description="The password of that user.")
    nats_token: SecretStr | None = Field(default=None, description="A token of NATS.")
    nats_ca: Path | None = Field(
        default=None,
        description="Who signs the certificate of NATS (PEM), where the system does not know.",
    )
    nats_tls_cert: Path | None = Field(
        default=None, description="Our certificate for NATS (PEM), where it asks for one."
    )
    nats_tls_key: Path | None = Field(default=None, description="The private key of that (PEM).")

    def api_key(self) -> str:
        """Return the API key; raises TidegateError if none is set."""
        if self.key_file is not None:
            return _read(self.key_file, "TIDEGATE_KEY_FILE").strip()
        if self.key is None:
            raise TidegateError(
                "set TIDEGATE_KEY or TIDEGATE_KEY_FILE to a key of the service: "
                "`tidegate keys create NAME --scope score`"
            )
        return self.key.get_secret_value()

    def of_kafka(self) -> dict[str, Any]:
        """Return the Kafka properties; raises TidegateError, whose text never repeats a value."""
        if self.kafka_properties is None:
            return {}
        found = {}
        text = _read(self.kafka_properties, "TIDEGATE_KAFKA_PROPERTIES")
        for number, line in enumerate(text.splitlines(), start=1):
            if not line.strip() or line.lstrip().startswith(("#", "!")):
                continue
            name, is_given, value = line.partition("=")
            if not is_given or name.strip() in OURS:
                wrong = f"{name.strip()} is not for it to say" if is_given else "want name=value"
                raise TidegateError(f"TIDEGATE_KAFKA_PROPERTIES, line {number}: {wrong}")
            found[name.strip()] = value.strip()
        return found

    def of_nats(self, *, is_tls: bool) -> dict[str, Any]:
        """Return the options of NATS; raises TidegateError if a file cannot be used."""
        secrets = {"password": self.nats_password, "token": self.nats_token}
        options: dict[str, Any] = {
            name: secret.get_secret_value() for name, secret in secrets.items() if secret
        }
        if self.nats_user:
            options["user"] = self.nats_user
        if self.nats_creds:
            _read(self.nats_creds, "TIDEGATE_NATS_CREDS")
            options["user_credentials"] = str(self.nats_creds)
        if is_tls or self.nats_ca or self.nats_tls_cert:
            options["tls"] = self._trust()
        return options

    def _trust(self) -> ssl.SSLContext:
        try:
            trust = ssl.create_default_context(cafile=self.nats_ca)
            if self.nats_tls_cert:
                trust.load_cert_chain(self.nats_tls_cert, self.nats_tls_key)
        except OSError as error:  # an SSLError is one
            raise TidegateError(
                f"TIDEGATE_NATS_CA, TIDEGATE_NATS_TLS_CERT, TIDEGATE_NATS_TLS_KEY: {error.strerror}"
            ) from None
        return trust


def _read(path: Path, variable: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "is no text"
        raise TidegateError(f"{variable}: {path}: {why}") from None
