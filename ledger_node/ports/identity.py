"""Identity providers: who they are, and the two kinds of requests a node makes of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from ledger_node.core.errors import NotFoundError, UnavailableError
from ledger_node.core.types import CityId


class IdentityProviderUnavailableError(UnavailableError):
    """An identity provider does not answer, or not with what the standard says.

    Fields: provider, reason.
    """

    code = "identity_provider_unavailable"

    def __init__(self, provider: str, reason: str) -> None:
        super().__init__(
            "身份认证平台暂时不可用。请稍后再试，或到窗口办理。",
            f"The identity provider {provider} is unavailable ({reason}); try later or at a "
            "counter.",
            provider=provider,
            reason=reason,
        )


class UnknownProviderError(NotFoundError):
    """The settings name no such identity provider; no other is ever contacted."""

    code = "unknown_identity_provider"

    def __init__(self) -> None:
        super().__init__(
            "没有配置这个身份认证平台。", "There is no such identity provider in the settings."
        )


class Audience(StrEnum):
    """Whom a provider signs in."""

    STAFF = "staff"
    CITIZEN = "citizen"


@dataclass(frozen=True, slots=True)
class Provider:
    """An identity provider that the settings name.

    Attributes:
        name: Short name, used in addresses.
        title_zh, title_en: On the button.
        issuer: Its issuer identifier, compared exactly.
        client_id: This node there.
        client_secret: As its secret file has it; empty for a public client.
        city: Member city that answers for it.
        audience: Staff or citizens.
        scheme_claim, number_claim, name_claim: Claims that carry a citizen's identity.
    """

    name: str
    title_zh: str
    title_en: str
    issuer: str
    client_id: str
    client_secret: str
    city: CityId
    audience: Audience
    scheme_claim: str = "id_scheme"
    number_claim: str = "id_number"
    name_claim: str = "name"


@dataclass(frozen=True, slots=True)
class Tokens:
    """Answer of a token endpoint; `refused` is set instead when the provider said no."""

    id_token: str = ""
    refresh_token: str = ""
    refused: str = ""


class IdentityProviders(Protocol):
    """Promises: only addresses of the issuer's own origin are contacted; no redirects; answers are
    bounded in size and time; what a provider says is not judged here.

    Raises (every method): IdentityProviderUnavailableError.
    """

    @property
    def providers(self) -> Mapping[str, Provider]:
        """By name, as the settings have them."""
        ...

    def fetch_authorization_endpoint(self, provider: Provider) -> str:
        """Address a browser is sent to."""
        ...

    def fetch_keys(self, provider: Provider, *, fresh: bool = False) -> Mapping[str, Any]:
        """JSON Web Key Set; `fresh` asks again although one is kept."""
        ...

    def redeem(self, provider: Provider, form: Mapping[str, str]) -> Tokens:
        """Ask the token endpoint; the client authenticates itself."""
        ...

    def close(self) -> None: ...
