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
    "FinalitySettings",
    "IdentityProviderSettings",
    "Settings",
    "SettingsError",
    "load_settings",
]
