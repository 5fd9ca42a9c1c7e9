"""Every setting of softray, from the environment (`SOFTRAY_*`) or from one file; built by entry points only.

`load_settings` is what an entry point calls. The environment wins over the file. The file is the one that
SOFTRAY_ENV_FILE names, else `softray.env` in the working directory when there is one. `docs/settings.md` and
`.env.example` are written from this module by `python -m service.settings_docs`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, DotEnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from service.errors import ConfigurationError
from service.result_settings import ResultSettings
from service.setting_types import MIB as MIB
from service.setting_types import Bytes, BytesPerSecond, Count, Percent, Port, Seconds
from service.setting_types import Unit as Unit
from service.setting_types import checked_ae_title as checked_ae_title
from service.settings_access import AccessSettings

ENV_PREFIX = "SOFTRAY_"
ENV_FILE_VARIABLE = "SOFTRAY_ENV_FILE"
DEFAULT_ENV_FILE = Path("softray.env")
_PLACES = """weights_dir site_file tls_certificate tls_private_key tls_ca
    stow_tokens_file stow_certificate_file stow_key_file stow_ca_file web_ca_file"""


def load_settings() -> Settings:
    """Build the settings of this process.

    Raises ConfigurationError naming every variable that is wrong; values are not repeated, since a URL may hold a
    password.
    """
    try:
        return Settings()
    except ValidationError as error:
        problems = (f"{ENV_PREFIX}{'.'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors())
        raise ConfigurationError("INVALID_SETTING", "; ".join(problems)) from None


class Settings(ResultSettings, AccessSettings):
    """One value per setting; the description of a field is what the documentation shows."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX, extra="forbid", frozen=True, hide_input_in_errors=True, validate_default=True
    )

    # Where things are kept
    data_dir: Path = Field(
        default=Path("softray-data"),
        description="Folder of the instance store; also of the SQLite file, broker and weights unless they are set.",
    )
    database_url: str = Field(
        default="",
        repr=False,
        description="Study registry (postgresql://… or sqlite:///…); empty: SQLite in the data folder.",
    )
    broker_url: str = Field(
        default="",
        repr=False,
        description="Celery broker (redis://…); empty: message files in the data folder, which need no server.",
    )

    # DICOM node
    ae_title: str = Field(default="SOFTRAY", description="Our application entity title, called and calling.")
    dicom_host: str = Field(default="0.0.0.0", description="Address that the DICOM node listens on.")
    dicom_port: Annotated[int, Field(ge=0, le=65535)] = Field(
        default=11112, description="TCP port that the DICOM node listens on; 0: TLS only."
    )
    tls_port: Annotated[int, Field(ge=0, le=65535)] = Field(
        default=0, description="TCP port for associations over mutual TLS (registered: 2762); 0: none."
    )
    tls_certificate: Path | None = Field(
        default=None, description="PEM file of our certificate with its chain, shown to peers that speak TLS."
    )
    tls_private_key: Path | None = Field(
        default=None, description="PEM file of the certificate's private key, without a password."
    )
    tls_ca: Path | None = Field(
        default=None, description="PEM file of the CA certificates that a peer's certificate must descend from."
    )
    tls_check_host: bool = Field(
        default=True, description="Deliver over TLS only to a peer whose certificate names the host connected to."
    )
    check_caller_host: bool = Field(
        default=True,
        description="Accept a registered AE title only from its registered host (host `*`: from any).",
    )
    accept_unknown_callers: bool = Field(
        default=False, description="Accept associations from AE titles that are not registered as remote nodes."
    )
    max_associations: Count = Field(
        default=25, description="Associations, and STOW-RS requests, served at the same time; more must wait."
    )
    max_associations_per_caller: Count = Field(
        default=20, description="Of these, associations, and requests, of one calling AE title; more must wait."
    )
    max_pdu: int = Field(default=131072, ge=0, description="Largest PDU received, in bytes; 0: no limit.")
    network_timeout_s: Seconds = Field(default=60, description="Silence after which an open association is aborted.")
    dimse_timeout_s: Seconds = Field(default=30, description="Longest wait for a DIMSE message.")
    acse_timeout_s: Seconds = Field(
        default=30, description="Longest wait for an answer while associating or releasing."
    )

    # DICOMweb
    stow_port: int = Field(default=0, ge=0, le=65535, description="TCP port that STOW-RS is received on; 0: none.")
    stow_host: str = Field(
        default="127.0.0.1",
        description="Address that STOW-RS is received on; any but a loopback address needs a tokens file.",
    )
    stow_tokens_file: Path | None = Field(
        default=None,
        description="File of who may send by STOW-RS: one AE title and SHA-256 of its bearer token a line.",
    )
    stow_certificate_file: Path | None = Field(
        default=None, description="TLS certificate chain (PEM) of STOW-RS; empty: not encrypted."
    )
    stow_key_file: Path | None = Field(default=None, description="Private key (PEM) of that certificate.")
    stow_ca_file: Path | None = Field(
        default=None,
        description="Authorities (PEM) that a STOW-RS sender's certificate must descend from; empty: it needs none.",
    )
    web_ca_file: Path | None = Field(
        default=None,
        description="Authorities (PEM) that DICOMweb services we send to are trusted by; empty: the public ones.",
    )
    stow_max_request_bytes: Bytes = Field(default=4096 * MIB, description="Largest STOW-RS request received.")

    # Storage commitment
    commitment_timeout_s: Seconds = Field(
        default=24 * 3600,
        description="Longest wait for an archive's storage commitment report before it is looked at or asked again.",
    )
    commitment_scp: bool = Field(
        default=False,
        description="Commit to images that softray holds when a modality asks (it may then delete its own).",
    )

    # Admission
    min_free_bytes: Bytes = Field(
        default=2048 * MIB,
        description="Free disk space below which instances are refused with 0xA700, until there is a tenth more.",
    )
    disk_high_percent: Percent = Field(
        default=95, description="Share of the disk in use above which instances are refused with 0xA700; 100: no limit."
    )
    disk_low_percent: Percent = Field(
        default=92, description="Share of the disk in use at which instances are accepted again after that."
    )
    max_instance_bytes: Bytes = Field(default=512 * MIB, description="Largest instance accepted.")
    max_queue_depth: Count = Field(
        default=10000,
        description="Jobs waiting or running above which instances are refused with 0xA700, until a tenth is done.",
    )
    min_age_years: int = Field(default=18, ge=0, description="Youngest patient processed, in years; 0: no limit.")
    min_side: int = Field(
        default=1000, ge=64, description="Shortest side of an image processed, in pixels; smaller ones are refused."
    )
    sibling_wait_s: Annotated[float, Unit("s"), Field(ge=0)] = Field(
        default=15,
        description="How long a For Processing image waits for a For Presentation one of the same exposure; 0: not.",
    )
    accept_for_processing: bool = Field(default=True, description="Process DX images For Processing as well.")
    site_file: Path | None = Field(
        default=None,
        description="Site file (TOML): what the gate takes and what becomes of results; empty: the defaults.",
    )

    # Admin API
    api_host: str = Field(default="127.0.0.1", description="Address that the admin API listens on.")
    api_port: Port = Field(default=8080, description="TCP port that the admin API listens on.")

    # Jobs
    inference_deadline_s: Seconds = Field(default=600, description="Longest time one inference may take.")
    lease_s: Seconds = Field(default=30, description="Time after which a silent worker's job is given to another.")
    stop_within_s: Annotated[float, Unit("s"), Field(ge=2)] = Field(
        default=25,
        description="Longest time from SIGTERM to the end of a process; work that takes longer is handed back.",
    )
    sweep_interval_s: Seconds = Field(default=5, description="Pause between two looks for work that stands still.")
    max_attempts: Count = Field(default=5, description="Attempts at one inference before the job fails.")
    retry_base_s: Seconds = Field(
        default=10, description="Pause before the first retry; doubles with every further one."
    )
    retry_max_s: Seconds = Field(default=900, description="Longest pause between two retries.")
    job_deadline_s: Annotated[float, Unit("s"), Field(ge=0)] = Field(
        default=3600, description="Time from reception to delivery after which a routine image is late; 0: never."
    )
    stat_deadline_s: Annotated[float, Unit("s"), Field(ge=0)] = Field(
        default=300, description="The same of an image marked STAT; priors are never late."
    )
    delivery_max_attempts: Count = Field(default=20, description="Attempts at one delivery before it fails.")

    # Upkeep of what is kept
    scrub_rate: BytesPerSecond = Field(
        default=4 * MIB, description="How fast kept files are read again to find altered ones; 0: not at all."
    )

    # Logs
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="Least severe level logged."
    )
    log_format: Literal["text", "json"] = Field(default="text", description="Form of a log line: text or json.")
    traces_url: str = Field(
        default="",
        pattern=r"^(https?://\S+)?$",
        repr=False,
        description="OpenTelemetry collector (http(s)://…/v1/traces) that a trace of each job goes to; empty: none.",
    )

    @field_validator(*_PLACES.split(), mode="before")
    @classmethod
    def _empty_means_none(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator("ae_title")
    @classmethod
    def _is_an_ae_title(cls, value: str) -> str:
        return checked_ae_title(value)

    @model_validator(mode="after")
    def _low_marks_lie_below_high_ones(self) -> Settings:
        if self.disk_low_percent > self.disk_high_percent:
            raise ValueError("expected SOFTRAY_DISK_LOW_PERCENT at or below SOFTRAY_DISK_HIGH_PERCENT")
        return self

    @property
    def effective_database_url(self) -> str:
        """The registry's URL with the default filled in."""
        return self.database_url or f"sqlite:///{self.data_dir.absolute() / 'softray.sqlite3'}"

    @property
    def effective_broker_url(self) -> str:
        """The broker's URL with the default filled in."""
        return self.broker_url or "filesystem://"

    @property
    def instances_dir(self) -> Path:
        """The folder of the instance store."""
        return self.data_dir / "instances"

    @property
    def effective_weights_dir(self) -> Path:
        """The folder of imported weights with the default filled in."""
        return self.weights_dir or self.data_dir / "weights"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then environment, then the one file; nothing else is read."""
        return init_settings, env_settings, DotEnvSettingsSource(settings_cls, env_file=_env_file())


def _env_file() -> Path:
    named = os.environ.get(ENV_FILE_VARIABLE)
    if named and not Path(named).is_file():
        raise ConfigurationError("SETTINGS_FILE_MISSING", f"{ENV_FILE_VARIABLE} names {named}, which is not a file")
    return Path(named) if named else DEFAULT_ENV_FILE
