"""What the operator decides: `TURNOUT_*` variables and `.env`. Knows no feature."""

import ipaddress
import os
import secrets
import tempfile
import zoneinfo
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PREFIX = "TURNOUT_"
TEST_PREFIX = "TURNOUT_TEST_"
SECRET_KEY_BYTES = 32


RoleName = Literal["admin", "organizer", "attendee"]


class SettingsError(Exception):
    """The configuration cannot be used; the message is one clear line."""


class Settings(BaseSettings):
    """The settings of one process, read once at its start."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", env_file_encoding="utf-8", extra="ignore", frozen=True
    )

    data_dir: Path = Field(Path("var"), description="Folder of the database and the secret key.")
    database_url: str = Field(
        "",
        description="`sqlite:///path` or `postgresql://user:password@host/name`; "
        "without it `turnout.db` in the data folder.",
    )
    pgbouncer: bool = Field(
        default=False, description="The database is reached through PgBouncer in transaction mode."
    )
    base_url: str = Field(
        "http://127.0.0.1:8000", description="The address under which people reach this server."
    )
    default_timezone: str = Field(
        "Asia/Kolkata",
        description="IANA time zone of times that name none, where the caller's profile has none.",
    )
    open_access: bool = Field(
        default=False,
        description="Callers without a credential act as one built-in organizer.",
    )
    open_access_anywhere: bool = Field(
        default=False,
        description="Allows open access on an address other than loopback.",
    )
    secret_key: SecretStr = Field(
        SecretStr(""),
        description="Secret of at least 32 characters behind tokens, links and tickets; without it "
        "one is generated in the data folder. Servers that share a database must share it.",
    )
    admin_email: str = Field(
        "",
        description="Address of the first administrator, made while there is none; without it "
        "`turnout serve` prints a one-time link by which someone becomes it.",
    )
    admin_password: SecretStr = Field(
        SecretStr(""), description="Password of the first administrator."
    )
    second_factor_roles: Annotated[tuple[RoleName, ...], NoDecode] = Field(
        (),
        description="Roles that count only for accounts with a second factor, separated by commas: "
        "`admin,organizer`.",
    )
    oidc_issuer: str = Field(
        "",
        description="Issuer of an OpenID Connect provider by which people may sign in. Its "
        "redirect address is `TURNOUT_BASE_URL` and `/login/provider/callback`.",
    )
    oidc_client_id: str = Field("", description="The id that the provider knows this server by.")
    oidc_client_secret: SecretStr = Field(
        SecretStr(""), description="The secret that belongs to that id, if there is one."
    )
    oidc_name: str = Field(
        "your organisation", description="The provider's name on the sign-in page."
    )
    geocoder: Literal["offline", "google", "nominatim", "photon"] = Field(
        "offline",
        description="What finds the places of events: the built-in gazetteer of cities, which "
        "needs no network, or one of these services.",
    )
    geocoder_url: str = Field(
        "",
        description="Address of a geocoder of your own, without its path: `https://maps.example`. "
        "Without it the public one of that kind.",
    )
    geocoder_key: SecretStr = Field(SecretStr(""), description="The API key for `google`.")
    geocoder_per_minute: int = Field(
        60,
        ge=2,
        le=3000,
        description="Questions a minute that one process asks a geocoder at most, spread evenly; "
        "never more than 60 to the public Nominatim.",
    )
    smtp_url: SecretStr = Field(
        SecretStr(""),
        description="Mail server: `smtp://user:password@host:port`, `smtps://` with TLS from the "
        "start, `smtp+starttls://` with TLS from then on. Without it mails go to files in the "
        "data folder.",
    )
    mail_from: str = Field(
        "",
        description="Address that mails come from, with or without a name: "
        "`Turnout <events@example.com>`. Without it `turnout@` and the host of the base URL.",
    )
    mail_per_second: float = Field(
        225.0,
        ge=0,
        le=10_000,
        description="How many mails a worker hands over in a second: no more than the provider "
        "takes, and few enough to leave the database to those who register. 0: no limit.",
    )
    settle_seconds: int = Field(
        180,
        ge=0,
        le=3600,
        description="How long an event must stay as it is before people are told what changed: "
        "several edits are told once.",
    )
    webhook_networks: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Addresses or networks that are not public and yet may be called by webhooks, "
        "also without TLS, separated by commas.",
    )
    retention_days: int = Field(
        0,
        ge=0,
        le=36_500,
        description="How long after an event the names and addresses of those who registered are "
        "kept; 0: for good.",
    )
    rate_limits: Literal["on", "off"] = Field(
        "on", description="Limits how often one caller asks. Off only for measuring."
    )
    redis_url: SecretStr = Field(
        SecretStr(""),
        description="`redis://host:6379/0`: where several servers count together how often a "
        "caller asks. Without it, or while it is away, each counts for itself.",
    )
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Addresses or networks of proxies whose X-Forwarded-For counts."
    )
    log_format: Literal["auto", "json", "human"] = Field(
        "auto", description="Form of the log lines; `auto` is for people only on a terminal."
    )

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, url: str) -> str:
        if not url or url.startswith("sqlite:///"):
            return url
        if not url.startswith(("postgresql://", "postgres://")):
            raise ValueError("must start with sqlite:/// or postgresql://")
        # Said without the address, which holds the password.
        wrong = (
            "is not postgresql://user:password@host:port/name; "
            "in a password write @ as %40, : as %3A and / as %2F"
        )
        try:
            parts = urlsplit(url)
            is_usable = bool(parts.hostname and parts.path.strip("/")) and parts.port != 0
        except ValueError:
            raise ValueError(wrong) from None
        if not is_usable:
            raise ValueError(wrong)
        return url

    @field_validator("base_url")
    @classmethod
    def _http_address(cls, url: str) -> str:
        if url.startswith(("http://", "https://")):
            return url.rstrip("/")
        raise ValueError("must start with http:// or https://")

    @field_validator("default_timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        if name in zoneinfo.available_timezones() - {"localtime", "posixrules"}:
            return name
        raise ValueError("is not an IANA time zone such as Asia/Kolkata")

    @field_validator("secret_key")
    @classmethod
    def _long_enough(cls, key: SecretStr) -> SecretStr:
        if 0 < len(key.get_secret_value()) < SECRET_KEY_BYTES:
            raise ValueError(f"must have at least {SECRET_KEY_BYTES} characters")
        return key

    @field_validator("redis_url")
    @classmethod
    def _redis_address(cls, url: SecretStr) -> SecretStr:
        if not url.get_secret_value() or url.get_secret_value().startswith(
            ("redis://", "rediss://")
        ):
            return url
        raise ValueError("must start with redis:// or rediss://")

    @field_validator("oidc_issuer")
    @classmethod
    def _issuer_address(cls, url: str) -> str:
        if not url or url.startswith(("http://", "https://")):
            return url
        raise ValueError("must start with https://")

    @field_validator("geocoder_url")
    @classmethod
    def _geocoder_address(cls, url: str) -> str:
        # Said without the address: what is no address may be the key.
        if not url or url.startswith(("http://", "https://")):
            return url.rstrip("/")
        raise ValueError("must start with https:// or http://")

    @field_validator("smtp_url")
    @classmethod
    def _mail_server(cls, url: SecretStr) -> SecretStr:
        # Said without the address, which holds the password.
        wrong = "must be smtp://, smtps:// or smtp+starttls:// with user:password@host:port"
        text = url.get_secret_value()
        if not text:
            return url
        try:
            parts = urlsplit(text)
            is_usable = bool(parts.hostname) and parts.port != 0
        except ValueError:
            raise ValueError(wrong) from None
        if not is_usable or parts.scheme not in {"smtp", "smtps", "smtp+starttls"}:
            raise ValueError(wrong)
        return url

    @field_validator("second_factor_roles", mode="before")
    @classmethod
    def _roles(cls, given: object) -> object:
        if isinstance(given, str):
            return tuple(part.strip() for part in given.split(",") if part.strip())
        return given

    @field_validator("trusted_proxies", "webhook_networks", mode="before")
    @classmethod
    def _networks(cls, given: object) -> object:
        parts = [part.strip() for part in given.split(",")] if isinstance(given, str) else given
        if not isinstance(parts, (list, tuple)):
            raise ValueError("must be addresses or networks, separated by commas")
        return tuple(str(ipaddress.ip_network(part, strict=False)) for part in parts if part)

    @model_validator(mode="after")
    def _whole_provider(self) -> Self:
        if self.oidc_issuer and not self.oidc_client_id:
            raise ValueError(f"{PREFIX}OIDC_CLIENT_ID is needed beside {PREFIX}OIDC_ISSUER")
        return self

    @model_validator(mode="after")
    def _whole_geocoder(self) -> Self:
        if (self.geocoder == "google") != bool(self.geocoder_key.get_secret_value()):
            raise ValueError(f"{PREFIX}GEOCODER=google and {PREFIX}GEOCODER_KEY go together")
        if self.geocoder == "offline" and self.geocoder_url:
            raise ValueError(f"{PREFIX}GEOCODER_URL needs a {PREFIX}GEOCODER that is not offline")
        return self

    @model_validator(mode="after")
    def _whole_administrator(self) -> Self:
        if bool(self.admin_email) != bool(self.admin_password.get_secret_value()):
            raise ValueError(f"{PREFIX}ADMIN_EMAIL and {PREFIX}ADMIN_PASSWORD go together")
        return self

    @model_validator(mode="after")
    def _database_in_data_dir(self) -> Self:
        if not self.database_url:
            path = (self.data_dir / "turnout.db").absolute()
            object.__setattr__(self, "database_url", f"sqlite:///{path}")
        return self


def load(**overrides: object) -> Settings:
    """The settings of this process, with `overrides` from the command line on top.

    Raises SettingsError with one line that names every wrong variable.
    """
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    unknown = sorted(
        name
        for name in os.environ
        if name.startswith(PREFIX) and not name.startswith(TEST_PREFIX) and name not in known
    )
    if unknown:
        raise SettingsError(f"{', '.join(unknown)}: there is no such setting")
    try:
        return Settings(**overrides)  # type: ignore[arg-type]  # pydantic checks the values
    except ValidationError as error:
        raise SettingsError("; ".join(_line(part) for part in error.errors())) from None


def _line(error: object) -> str:
    assert isinstance(error, dict)  # noqa: S101 - narrows pydantic's TypedDict for the type checker
    name = PREFIX + str(error["loc"][0]).upper() if error["loc"] else "settings"
    return f"{name}: {str(error['msg']).removeprefix('Value error, ')}"


def secret_key(settings: Settings) -> bytes:
    """The secret of this installation: as set, else the generated file in the data folder."""
    given = settings.secret_key.get_secret_value()
    if given:
        return given.encode()
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    path = settings.data_dir / "secret.key"
    if not path.exists():
        _make_key(path)
    return _read_key(path)


def _make_key(path: Path) -> None:
    """Write a new key, readable by its owner alone, unless another process was faster."""
    descriptor, name = tempfile.mkstemp(prefix="secret.", dir=path.parent)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(SECRET_KEY_BYTES))
        file.flush()
        os.fsync(descriptor)
    try:
        # Not before the key is whole: who starts at the same time must never read half of it.
        os.link(name, path)
    except FileExistsError:
        pass
    finally:
        Path(name).unlink()


def _read_key(path: Path) -> bytes:
    key = path.read_text("ascii").strip().encode()
    if len(key) < SECRET_KEY_BYTES:
        raise SettingsError(f"{path}: the secret key is too short; restore it from a backup")
    return key
