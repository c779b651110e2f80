"""What a running process holds: opened once, handed to the doors. Features never see it."""

from dataclasses import dataclass
from typing import Self
from uuid import UUID

from turnout import clock
from turnout.accounts import credentials
from turnout.accounts import service as accounts
from turnout.accounts.access_tokens import AccessTokens
from turnout.accounts.actor import ANONYMOUS, Actor, Role
from turnout.accounts.credentials import Holder, Key
from turnout.accounts.opaque import Seals
from turnout.accounts.openid import OpenIdClient, Provider
from turnout.accounts.passwords import Hasher
from turnout.db.lookups import Lookups
from turnout.db.paging import Cursors
from turnout.db.session import Database
from turnout.discovery.rendered import Rendered
from turnout.events.darkroom import Darkroom
from turnout.limiter import Limiter
from turnout.notifications import mailer
from turnout.notifications.letterhead import Letterhead, sender_of
from turnout.notifications.mailer import Mailer
from turnout.outside import Outside, OutsideOfUsers
from turnout.places import nominatim
from turnout.places.finder import PlaceFinder
from turnout.places.geocoding import Geocoder
from turnout.places.google import GoogleGeocoder
from turnout.places.nominatim import NominatimGeocoder
from turnout.places.photon import PhotonGeocoder
from turnout.registrations import guests
from turnout.registrations.desk import Desk
from turnout.registrations.tickets import Tickets
from turnout.settings import Settings, secret_key

PROVIDER_CALLBACK = "/login/provider/callback"
"""Where an OpenID Connect provider sends people back to."""


@dataclass(frozen=True, slots=True)
class Runtime:
    """One process's way to everything outside it."""

    settings: Settings
    database: Database
    rendered: Rendered
    desk: Desk
    cursors: Cursors
    tickets: Tickets
    seals: Seals
    access_tokens: AccessTokens
    hasher: Hasher
    darkroom: Darkroom
    limiter: Limiter
    outside: Outside
    outside_of_users: OutsideOfUsers
    """For what users name, which may not lead inside."""
    openid: OpenIdClient | None
    geocoder: PlaceFinder
    mailer: Mailer
    letterhead: Letterhead
    """What mails of this installation are written with."""
    credentials: Lookups[Key, Holder]
    """Accounts by the credential that was sent."""
    guests: Lookups[UUID, bytes]
    """The hashes of the tokens of guests, by registration."""
    second_factor_roles: frozenset[Role]
    """Roles that count only for accounts with a second factor."""
    default_actor: Actor
    """Who a caller without a credential is: nobody, or in open mode the built-in organizer."""

    @classmethod
    async def open(cls, settings: Settings) -> Self:
        """Connect; the database must have been migrated. Raises SettingsError, NotDurableError."""
        secret = secret_key(settings)
        database = Database(settings.database_url, pgbouncer=settings.pgbouncer)
        await database.check_durability()
        actor = ANONYMOUS
        if settings.open_access:
            async with database.write() as db:
                actor = await accounts.built_in_organizer(db, clock.now())
        seals, outside = Seals(secret), Outside()
        sender = sender_of(settings.mail_from, settings.base_url)
        redis_url = settings.redis_url.get_secret_value() or None
        return cls(
            settings=settings,
            database=database,
            rendered=Rendered(),
            desk=Desk(database, secret),
            cursors=Cursors(secret),
            tickets=Tickets(secret),
            seals=seals,
            access_tokens=AccessTokens(seals.key(b"access token"), issuer=settings.base_url),
            hasher=Hasher(),
            darkroom=Darkroom(),
            limiter=Limiter.open(redis_url, is_on=settings.rate_limits == "on"),
            outside=outside,
            outside_of_users=OutsideOfUsers(settings.webhook_networks),
            openid=_openid(settings, outside),
            geocoder=_geocoder(settings, database, outside),
            mailer=mailer.open_mailer(
                settings.smtp_url.get_secret_value(),
                sender.addr_spec,
                settings.data_dir,
                settings.mail_per_second,
            ),
            letterhead=Letterhead(settings.base_url, sender, seals, Tickets(secret)),
            credentials=Lookups(database, credentials.load),
            guests=Lookups(database, guests.load),
            second_factor_roles=frozenset(map(Role, settings.second_factor_roles)),
            default_actor=actor,
        )

    async def aclose(self) -> None:
        """Answer everyone who waits, then close every connection."""
        await self.desk.aclose()
        await self.hasher.aclose()
        await self.limiter.aclose()
        await self.outside.aclose()
        await self.outside_of_users.aclose()
        await self.mailer.aclose()
        await self.database.aclose()


def _openid(settings: Settings, outside: Outside) -> OpenIdClient | None:
    if not settings.oidc_issuer:
        return None
    provider = Provider(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        client_secret=settings.oidc_client_secret.get_secret_value(),
        redirect_uri=settings.base_url + PROVIDER_CALLBACK,
    )
    return OpenIdClient(provider, outside)


def _geocoder(settings: Settings, database: Database, outside: Outside) -> PlaceFinder:
    url, contact = settings.geocoder_url, settings.base_url
    per_minute = settings.geocoder_per_minute
    geocoder: Geocoder | None = None
    match settings.geocoder:
        case "google":
            key = settings.geocoder_key.get_secret_value()
            geocoder = GoogleGeocoder(outside, url=url, key=key)
        case "nominatim":
            geocoder = NominatimGeocoder(outside, url=url, contact=contact)
            if url in {"", nominatim.URL}:
                per_minute = min(per_minute, nominatim.MOST_PER_MINUTE)
        case "photon":
            geocoder = PhotonGeocoder(outside, url=url, contact=contact)
        case "offline":
            pass
    return PlaceFinder(database, geocoder, per_minute=per_minute)
