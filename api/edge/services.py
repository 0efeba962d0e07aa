"""A running Daybook: its parts, put together in one place from settings and a database."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg

from api.settings import Settings
from domain.clock import Clock
from domain.commands.context import Context
from domain.passwords import Passwords
from domain.pictures import PATH
from domain.store import Store
from domain.store.attempts import Attempts
from domain.store.connections import Pool, connection_arguments, open_pool
from domain.store.last_active import LastActive
from domain.store.migrate import require_migrated
from domain.store.requirements import open_keyring, require_fitting
from projections import INLINE
from projections.devices import device
from projections.lookups import ListLookups
from projections.places import Places

from .attempts import AttemptBuffer
from .batching.current_session import KeyCheck, SessionCheck
from .batching.organizations_seen import OrganizationsSeen
from .batching.session_lists import SessionLists
from .client_address import ClientAddresses
from .cookies import SessionCookies
from .held_back import HeldBack
from .known_device import KnownDevices
from .last_active import LastActiveBuffer
from .limiting.counters import Counters
from .limiting.mail_brake import MailBrake
from .limiting.rate_limiter import RateLimiter
from .limiting.request_counter import RequestCounter
from .loop_load import LoopLoad
from .operator_hints import OperatorHints
from .origins import TrustedOrigins

_WAITING_FOR_HASHES = 16
"""Sign-ins that may wait for a hashing thread, in one worker: fewer than its threads, so that others get one."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Services:
    """What handlers work with. One in each worker, shared by its threads.

    `sessions`, `keys`, `organizations`, `session_lists`, `addresses`, `operator_hints`, `held_back`, both buffers and
    what counts requests belong to the event loop.
    """

    settings: Settings
    clock: Clock
    context: Context
    counters: Counters
    limits: RateLimiter
    mail_brake: MailBrake
    attempts: Attempts
    attempt_buffer: AttemptBuffer
    last_active: LastActive
    last_active_buffer: LastActiveBuffer
    addresses: ClientAddresses
    cookies: SessionCookies
    known_devices: KnownDevices
    origins: TrustedOrigins
    operator_hints: OperatorHints
    sessions: SessionCheck
    keys: KeyCheck
    organizations: OrganizationsSeen
    session_lists: SessionLists
    places: Places
    passwords: Passwords
    loop_load: LoopLoad
    held_back: HeldBack
    pool: Pool

    def close(self) -> None:
        """Let running commands finish and give the connections back."""
        self.passwords.close()
        # those still on their way wait for a server that may be frozen
        self.pool.close(timeout=1.0)


def open_services(settings: Settings, clock: Clock) -> Services:
    """Put the parts together. Blocks for as long as the database takes to answer.

    Raises psycopg.OperationalError if it does not, UnfitDatabase, NotMigrated, WrongSecret, PlacesUnreadable.
    """
    assert settings.database_url is not None, "whoever starts the application names its database"
    assert settings.secret is not None, "whoever starts the application gives it its secret"
    # the first to be read loads the rules, which takes longer than a request may hold up the others
    device("Mozilla/5.0")
    secret, places = settings.secret.get_secret_value(), Places(settings.geoip_database)
    url = settings.database_url
    with psycopg.connect(url, **connection_arguments("daybook-start", url)) as connection:
        require_fitting(connection)
        require_migrated(connection)
        keyring = open_keyring(connection, secret)
    pool = open_pool(settings.database_url, size=settings.database_connections)
    store = Store(pool, keyring, INLINE)
    lookups = ListLookups(store.statements)
    counters, attempts = Counters(store.statements), Attempts(pool, keyring)
    last_active = LastActive(store.statements)
    cookies = SessionCookies(
        settings.cookie_prefix,
        settings.secure,
        secret,
        domain=settings.cookie_domain,
        same_site=settings.cookie_same_site,
        partitioned=settings.cookie_partitioned == "on",
    )
    origins = TrustedOrigins(settings.origin, settings.origin_patterns)
    loop_load = LoopLoad()
    passwords = Passwords(
        settings.argon2,
        threads=settings.hashing_threads,
        waiting=_WAITING_FOR_HASHES,
        busy=loop_load.busy,
        shortest=settings.password_minimum_length,
        strength=settings.strength,
    )
    return Services(
        settings=settings,
        clock=clock,
        context=Context(
            store=store,
            lookups=lookups,
            keyring=keyring,
            passwords=passwords,
            lifetimes=settings.lifetimes,
            sessions_per_user=settings.sessions_per_user or None,
            rules=settings.rules,
            pictures_at=f"{settings.origin}{PATH}",
        ),
        counters=counters,
        limits=RateLimiter(
            RequestCounter(settings.database_url),
            counters,
            keyring,
            lookups,
            on=settings.rate_limit == "on",
            wrong_passwords=settings.wrong_passwords,
        ),
        mail_brake=MailBrake(
            counters,
            keyring,
            on=settings.rate_limit == "on",
            per_hour=settings.invitations_per_hour,
            of_a_kind=settings.mails_per_hour,
        ),
        attempts=attempts,
        attempt_buffer=AttemptBuffer(attempts),
        last_active=last_active,
        last_active_buffer=LastActiveBuffer(last_active),
        addresses=ClientAddresses(settings.proxy_networks),
        cookies=cookies,
        known_devices=KnownDevices(cookies),
        origins=origins,
        operator_hints=OperatorHints(origins, cookies),
        sessions=SessionCheck(settings.database_url),
        keys=KeyCheck(settings.database_url),
        organizations=OrganizationsSeen(settings.database_url),
        session_lists=SessionLists(settings.database_url),
        places=places,
        passwords=passwords,
        loop_load=loop_load,
        held_back=HeldBack(),
        pool=pool,
    )
