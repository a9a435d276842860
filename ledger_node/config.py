"""Settings of one node: `node.toml` in its data directory, overridden by `TONGBAN_…` variables.

The only module that reads the environment. Frozen and validated at start; secrets are paths to
files, never values; everything listens on the loopback unless told otherwise.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from ledger_node.core.errors import MalformedInputError

Hex32 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Hex20 = Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")]
CITY_PATTERN = r"^[0-9]{6}$"
CONFIG_NAME = "node.toml"


class SettingsError(MalformedInputError):
    """The node's settings are missing or wrong."""

    code = "settings_invalid"


class FinalitySettings(BaseModel):
    """How an included block becomes confirmed on this engine (design §6)."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: Literal["immediate", "depth", "finalized"] = "immediate"
    depth_blocks: int = Field(default=0, ge=0, le=1000)


class ChainSettings(BaseModel):
    """Which chain, and what pins it."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    rpc_url: str
    more_rpc_urls: tuple[str, ...] = ()
    chain_id: int = Field(gt=0)
    genesis_hash: Hex32
    membership: Hex20
    first_block: int = Field(default=0, ge=0)
    finality: FinalitySettings = FinalitySettings()
    gas_price_wei: int = Field(default=0, ge=0)
    log_range_blocks: int = Field(default=2000, gt=0)
    timeout_s: float = Field(default=10.0, gt=0)
    follow_chain_clock: bool = False


class IdentityProviderSettings(BaseModel):
    """An identity provider whose word counts here; no other is ever contacted."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,31}$")
    title_zh: str = Field(min_length=1, max_length=60)
    title_en: str = Field(min_length=1, max_length=60)
    issuer: str = Field(pattern=r"^https?://[a-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?$")
    client_id: str = Field(min_length=1, max_length=200)
    client_secret_file: str = Field(default="", pattern=r"^([a-z0-9][a-z0-9._-]{0,63})?$")
    city: str = Field(pattern=CITY_PATTERN)
    audience: Literal["staff", "citizen"]
    scheme_claim: str = "id_scheme"
    number_claim: str = "id_number"
    name_claim: str = "name"

    @model_validator(mode="after")
    def _demand_tls(self) -> Self:
        """A code on a plain connection is anybody's: plain only on this machine, for trials."""
        host = self.issuer.split("/")[2].split(":")[0]
        local = host in {"127.0.0.1", "localhost"} or host.endswith(".localhost")
        if not local and not self.issuer.startswith("https://"):
            raise ValueError("an issuer outside this machine has an https address")
        return self


class CaseSystemSettings(BaseModel):
    """A case system (综窗) that hands cases in; no other address is ever called."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    id: str = Field(pattern=r"^[a-z][a-z0-9-]{0,23}$")
    name: str = Field(min_length=1, max_length=60)
    states_file: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")
    callback_origin: str = Field(default="", pattern=r"^(https?://[a-z0-9.-]+(:[0-9]{1,5})?)?$")
    callback_path: str = Field(default="/tongban/events", pattern=r"^/[A-Za-z0-9/_.-]{0,100}$")
    page_origin: str = Field(default="", pattern=r"^(https?://[a-z0-9.-]+(:[0-9]{1,5})?)?$")
    folder: Path | None = None


StoreName = Literal["directory", "s3", "ipfs"]


class S3Settings(BaseModel):
    """The bucket that holds sealed documents, and who asks for them."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    endpoint: str = Field(pattern=r"^https?://[a-z0-9.-]+(:[0-9]{1,5})?$")
    bucket: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")
    region: str = Field(default="us-east-1", pattern=r"^[a-z0-9-]{1,40}$")
    prefix: str = Field(default="", pattern=r"^([a-z0-9][a-z0-9._-]{0,63}/){0,4}$")
    access_key_id: str = Field(min_length=1, max_length=200)
    secret_key_file: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")
    timeout_s: float = Field(default=30.0, gt=0)


class IpfsSettings(BaseModel):
    """The IPFS node (Kubo) that holds sealed documents; its RPC is nobody else's."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    rpc_url: str = Field(pattern=r"^https?://[a-z0-9.-]+(:[0-9]{1,5})?$")
    folder: str = Field(default="/tongban", pattern=r"^(/[a-z0-9][a-z0-9._-]{0,63}){1,4}$")
    token_file: str = Field(default="", pattern=r"^([a-z0-9][a-z0-9._-]{0,63})?$")
    timeout_s: float = Field(default=30.0, gt=0)


class DocumentSettings(BaseModel):
    """Where sealed documents go, and where else they are read from while they are moved."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    store: StoreName = "directory"
    also_read: tuple[StoreName, ...] = ()
    s3: S3Settings | None = None
    ipfs: IpfsSettings | None = None

    @model_validator(mode="after")
    def _demand_described(self) -> Self:
        """Every store that is named is described, and named once."""
        named = (self.store, *self.also_read)
        if len(set(named)) != len(named):
            raise ValueError("a store is named twice")
        described = {"directory": True, "s3": self.s3, "ipfs": self.ipfs}
        for name in named:
            if not described[name]:
                raise ValueError(f"the section documents.{name} is missing")
        return self


class KeySettings(BaseModel):
    """Where wrapping keys live, and how long an epoch of them lasts."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    wrapping: Literal["file", "pkcs11"] = "file"
    epoch_days: int = Field(default=28, ge=1, le=30)
    pkcs11_module: Path | None = None
    pkcs11_token: str = Field(default="", max_length=32)
    pkcs11_pin_file: str = Field(default="", pattern=r"^([a-z0-9][a-z0-9._-]{0,63})?$")

    @model_validator(mode="after")
    def _demand_described(self) -> Self:
        """A token is described whole."""
        described = self.pkcs11_module and self.pkcs11_token and self.pkcs11_pin_file
        if self.wrapping == "pkcs11" and not described:
            raise ValueError("pkcs11_module, pkcs11_token and pkcs11_pin_file belong to pkcs11")
        return self


class Settings(BaseSettings):
    """One city's node."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix="TONGBAN_", env_nested_delimiter="__"
    )
    city: str = Field(pattern=CITY_PATTERN)
    city_name: str = ""
    consortium: str = Field(pattern=r"^[a-z0-9.-]{1,64}$")
    data_dir: Path
    url: str
    public_url: str = Field(default="", pattern=r"^(https?://[a-z0-9.-]+(:[0-9]{1,5})?)?$")
    device_bridge_url: str = Field(
        default="http://127.0.0.1:8707", pattern=r"^http://127\.0\.0\.1:[0-9]{1,5}$"
    )
    listen_host: str = "127.0.0.1"
    listen_port: int = Field(default=0, ge=0, le=65535)
    database_url: str = ""
    chain: ChainSettings
    documents: DocumentSettings = DocumentSettings()
    keys: KeySettings = KeySettings()
    govern_dir: Path | None = None
    max_document_bytes: int = Field(default=64 * 1024 * 1024, gt=0)
    sequencing_interval_s: float = Field(default=0.5, gt=0)
    anchoring_interval_s: float = Field(default=30.0, gt=0)
    mirror_look_interval_s: float = Field(default=30.0, gt=0)
    anchoring_promise_s: int = Field(default=600, gt=0)
    finds_per_city_per_day: int = Field(default=2000, gt=0)
    finds_per_officer_per_day: int = Field(default=200, gt=0)
    releases_per_city_per_day: int = Field(default=2000, gt=0)
    api_requests_per_account_per_minute: int = Field(default=600, gt=0)
    api_requests_per_address_per_minute: int = Field(default=120, gt=0)
    api_requests_per_minute: int = Field(default=12_000, gt=0)
    identity_providers: tuple[IdentityProviderSettings, ...] = ()
    case_systems: tuple[CaseSystemSettings, ...] = ()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Variables win over the file; no dotenv, no secrets directory."""
        del settings_cls, dotenv_settings, file_secret_settings
        return env_settings, init_settings

    @property
    def origin(self) -> str:
        """Origin of the pages as browsers see it; without a setting the node's own address."""
        return self.public_url or self.url

    @property
    def database(self) -> str:
        """SQLAlchemy URL; the embedded database inside the data directory by default."""
        return self.database_url or f"sqlite:///{self.data_dir / 'node.db'}"


def load_settings(data_dir: Path) -> Settings:
    """Read and validate `node.toml` of a data directory.

    Raises:
        SettingsError: The file is missing, is not TOML, or a field is wrong (named).
    """
    path = data_dir / CONFIG_NAME
    try:
        raw: dict[str, Any] = tomllib.loads(path.read_text("utf-8"))
        return Settings(data_dir=data_dir, **raw)
    except FileNotFoundError as error:
        raise SettingsError(
            f"找不到 {CONFIG_NAME}。请先运行 tongban node init。",
            f"There is no {CONFIG_NAME} there. Run tongban node init first.",
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"{CONFIG_NAME} 不是合格的 TOML:{error}", f"{CONFIG_NAME} is not valid TOML: {error}"
        ) from error
    except ValidationError as error:
        where = "; ".join(
            f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}"
            for item in error.errors(include_input=False, include_url=False)
        )
        raise SettingsError(
            f"{CONFIG_NAME} 有误：{where}", f"{CONFIG_NAME} is wrong: {where}"
        ) from error


__all__ = [
    "ChainSettings",
    "DocumentSettings",
    "FinalitySettings",
    "IdentityProviderSettings",
    "IpfsSettings",
    "KeySettings",
    "S3Settings",
    "Settings",
    "SettingsError",
    "load_settings",
]
