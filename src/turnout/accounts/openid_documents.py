"""What an OpenID Connect provider publishes of itself: its addresses and its keys.

OpenID Connect Discovery 1.0 and RFC 7517. Knows no one who signs in.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Generic, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, ValidationError

from turnout import clock
from turnout.accounts import id_tokens
from turnout.outside import Outside, OutsideError, Reply

if TYPE_CHECKING:
    from joserfc.jwk import KeySet

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)

DOCUMENTS_LAST = timedelta(hours=1)
"""How long what was published is believed without being asked for again."""


class Metadata(BaseModel):
    """The discovery document, as far as it is used; its defaults are those of Discovery 1.0, 3."""

    model_config = ConfigDict(frozen=True)

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    id_token_signing_alg_values_supported: frozenset[str] = frozenset({"RS256"})
    token_endpoint_auth_methods_supported: frozenset[str] = frozenset({"client_secret_basic"})
    authorization_response_iss_parameter_supported: bool = False

    @property
    def endpoints(self) -> dict[str, str]:
        """Each address that is asked, or that a browser is sent to, by the name of its member."""
        named = self.model_dump(
            include={"authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"},
            exclude_none=True,
        )
        return {name: str(address) for name, address in named.items()}


class _JwkSet(BaseModel):
    keys: list[object]


def read(model: type[M], reply: Reply, what: str) -> M:
    """What an answer of status 200 says; OutsideError for any other, and where it makes no sense.

    The error names the members that are wrong and `what` they are of, and never holds a value.
    """
    if reply.status != 200:
        is_permanent = reply.status < 500
        raise OutsideError(f"{what}: status {reply.status}", is_permanent=is_permanent)
    try:
        return model.model_validate(reply.json())
    except ValidationError as error:
        wrong = {str(part["loc"][0]) if part["loc"] else "it" for part in error.errors()}
        message = f"{what}: {', '.join(sorted(wrong))} cannot be used"
        raise OutsideError(message, is_permanent=True) from None


class Documents:
    """The published documents of one provider, each asked for when it is needed and then kept.

    All raise OutsideError when a document cannot be had, or may not be trusted.
    """

    def __init__(self, issuer: str, outside: Outside) -> None:
        self._issuer = issuer
        self._outside = outside
        self._metadata = _Kept(self._fetch_metadata)
        self._keys = _Kept(self._fetch_keys)

    async def metadata(self) -> Metadata:
        """The discovery document, at most DOCUMENTS_LAST old."""
        return await self._metadata.get()

    async def keys(self) -> "KeySet":
        """The keys that sign ID tokens, at most DOCUMENTS_LAST old."""
        return await self._keys.get()

    async def keys_by_now(self) -> "KeySet":
        """The same keys as they are at this moment."""
        return await self._keys.renew()

    async def _fetch_metadata(self) -> Metadata:
        from authlib.oidc import discovery  # type: ignore[import-untyped]  # has no types

        address = discovery.get_well_known_url(self._issuer, external=True)
        reply = await self._outside.get_json(address)
        metadata = read(Metadata, reply, "discovery document")
        _check(metadata, self._issuer)
        return metadata

    async def _fetch_keys(self) -> "KeySet":
        metadata = await self.metadata()
        reply = await self._outside.get_json(metadata.jwks_uri)
        return id_tokens.read_keys(read(_JwkSet, reply, "key set").keys)


def _check(metadata: Metadata, issuer: str) -> None:
    """Raise OutsideError for what Discovery 1.0 forbids (3, 4.3)."""
    # Exactly, or one provider could speak for another; shown, for it may be a slash too many.
    if metadata.issuer != issuer:
        message = f"discovery document: the issuer is {metadata.issuer[:200]!r}"
        raise OutsideError(message, is_permanent=True)
    # Without TLS only where the operator has set so: a trial on one machine.
    schemes = {"https", urlsplit(issuer).scheme}
    for name, address in metadata.endpoints.items():
        if not _is_usable(address, schemes):
            message = f"discovery document: {name} is no {' or '.join(sorted(schemes))} address"
            raise OutsideError(message, is_permanent=True)


def _is_usable(address: str, schemes: set[str]) -> bool:
    from authlib.common import urls  # type: ignore[import-untyped]  # has no types

    return (
        urls.is_valid_url(address, fragments_allowed=False) and urlsplit(address).scheme in schemes
    )


class _Kept(Generic[T]):
    """A document from outside that is asked for again when it is old."""

    def __init__(self, fetch: Callable[[], Awaitable[T]]) -> None:
        self._fetch = fetch
        self._kept: tuple[T, datetime] | None = None

    async def get(self) -> T:
        """The document, at most DOCUMENTS_LAST old."""
        if self._kept is not None:
            document, fetched_at = self._kept
            # Not older, and not from the future either: the clock may have been put back.
            if timedelta(0) <= clock.now() - fetched_at < DOCUMENTS_LAST:
                return document
        return await self.renew()

    async def renew(self) -> T:
        """The document as it is now."""
        # Two at a time may both ask. Better than that one waits for the other's time-out first.
        document = await self._fetch()
        self._kept = (document, clock.now())
        return document
