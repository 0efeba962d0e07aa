"""Settings: what an operator may say, all of it in `DAYBOOK_…` environment variables."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterable
from datetime import timedelta
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from domain.commands.context import EmailVerification, Rules
from domain.password_strength import LEAST_GUESSES, Strength
from domain.passwords import SHORTEST, Argon2Parameters
from domain.session import Lifetimes

from .deployment_settings import PREFIX
from .page_settings import PageSettings
from .setting_values import listed, may_match_origin, networks
from .sites import host_of, wrong_with_cookie_domain

OTHER_NAMES = frozenset({"DAYBOOK_VENV"})
"""Names with our prefix that are no settings, yet may be there: where scripts/ keep the virtual environment."""
# Kubernetes tells every container of a Service called "daybook" where that is.
_SERVICE_LINK = re.compile(r"DAYBOOK_(SERVICE_(HOST|PORT(_\w+)?)|PORT_\d+_(TCP|UDP)(_\w+)?)")
_HERE = "http://localhost"
TEN_YEARS = 315_360_000
MAY_NEED_FRESHNESS = ("change-password", "update-user", "api-key/create")
"""Calls for which an operator may ask for a fresh session. Ending sessions never needs one (wire.md A2)."""


class Settings(PageSettings):
    """Times are in seconds. What is not set has a default that works on one machine."""

    # More origins whose pages may use the service, comma-separated (wire.md §4.3).
    trusted_origins: str = ""
    # Proxies whose word is taken for who asks: addresses and networks, comma-separated (wire.md A14).
    trusted_proxies: str = ""
    cookie_prefix: str = "better-auth"
    # Whether other sites' pages bring our cookies along, kept apart for each site, and whose hosts all get them (A33).
    cookie_same_site: Literal["Lax", "Strict", "None"] = "Lax"
    cookie_partitioned: Literal["on", "off"] = "off"
    cookie_domain: str | None = None
    rate_limit: Literal["on", "off"] = "on"
    # How long a session lives from its last renewal, and how long until a used one is renewed: a seventh of that.
    session_lifetime: int = Field(default=604_800, ge=1, le=TEN_YEARS)
    session_refresh_after: int | None = Field(default=None, ge=0, le=TEN_YEARS)
    # How long after signing in or confirming the password sensitive calls are open; 0: always (wire.md A3).
    fresh_for: int = Field(default=86_400, ge=0, le=TEN_YEARS)
    # Calls that need it, comma-separated, of `MAY_NEED_FRESHNESS`.
    fresh_calls: str = ""
    # How long a session may live in all, however much it is used; 0: as long as it is used.
    session_max_lifetime: int = Field(default=0, ge=0, le=TEN_YEARS)
    # How many sessions a person may have; a further one ends the oldest. 0: as many as they like.
    sessions_per_user: int = Field(default=0, ge=0, le=1_000_000)
    # Whether a changed password ends all other sessions: if asked for, or always (wire.md A25).
    password_change_revokes: Literal["asked", "always"] = "asked"  # noqa: S105  a word, no secret
    # Who may open an account: anybody, or only who was invited.
    sign_up: Literal["open", "invited"] = "open"
    # Whether people may be invited and accept, and found organizations beside their own (wire.md A20, A23).
    invitations: Literal["on", "off"] = "on"
    create_organizations: Literal["on", "off"] = "on"
    # Whether people prove their address when they sign up: not, if they like, or before they are let in (wire.md A4).
    email_verification: Literal["off", "asked", "required"] = "off"
    # How long a link that sets another password is good.
    reset_lifetime: int = Field(default=3_600, ge=60, le=86_400)
    # How many messages of a kind that anybody may ask for, or whoever knows a password can cause, an address gets in an
    # hour.
    mails_per_hour: int = Field(default=5, ge=1, le=1_000)
    # Whether who deletes their account confirms that by a link that goes to its address.
    deletion_by_mail: Literal["on", "off"] = "off"
    # How long an invitation can be accepted from its last sending on (wire.md A6).
    invitation_lifetime: int = Field(default=604_800, ge=1, le=TEN_YEARS)
    # How many members and pending invitations an organization may have; 0: as many as it likes.
    member_limit: int = Field(default=0, ge=0, le=1_000_000)
    invitation_limit: int = Field(default=0, ge=0, le=1_000_000)
    # How many invitations, sent or sent again, of one person in an hour.
    invitations_per_hour: int = Field(default=100, ge=1, le=1_000_000)
    # How long an API key must and may be good if it is to end, and how long it is if that is not said; 0: for ever.
    key_min_lifetime: int = Field(default=86_400, ge=1, le=TEN_YEARS)
    key_max_lifetime: int = Field(default=31_536_000, ge=1, le=TEN_YEARS)
    key_lifetime: int = Field(default=0, ge=0, le=TEN_YEARS)
    # How many wrong passwords an hour of one account (NIST SP 800-63B §3.2.2: no more than 100).
    wrong_passwords: int = Field(default=100, ge=1, le=1_000_000)
    # What a new password needs: zxcvbn's score, and UTF-16 code units; as the only proof of who somebody is it should
    # have 15 (NIST SP 800-63B §3.1.1.2).
    password_minimum_score: int = Field(default=2, ge=0, le=len(LEAST_GUESSES) - 1)
    password_minimum_length: int = Field(default=SHORTEST, ge=SHORTEST, le=64)
    # One password hash: KiB of memory, passes, lanes. Not below OWASP's minimum.
    argon2_memory: int = Field(default=19_456, ge=19_456, le=4_194_304)
    argon2_time: int = Field(default=2, ge=2, le=100)
    argon2_lanes: int = Field(default=1, ge=1, le=64)
    # A city database in MaxMind's format; without it only countries are named.
    geoip_database: Path | None = None
    # Connections a worker keeps to the database.
    database_connections: int = Field(default=6, ge=2, le=1000)

    @field_validator("cookie_prefix")
    @classmethod
    def _require_token(cls, prefix: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9_-]+", prefix):
            raise PydanticCustomError("cookie_prefix", "must consist of letters, digits, - and _")
        if prefix.lower().startswith(("__secure-", "__host-")):
            # browsers drop such a name where it does not keep their rules, and __Secure- is put in front where it does
            raise PydanticCustomError("cookie_prefix", "must not begin with __Secure- or __Host-")
        return prefix

    @field_validator("cookie_same_site", mode="before")
    @classmethod
    def _in_any_case(cls, same_site: object) -> object:
        return same_site.strip().capitalize() if isinstance(same_site, str) else same_site

    @field_validator("cookie_same_site")
    @classmethod
    def _require_https(cls, same_site: str, others: ValidationInfo) -> str:
        # a base URL that was refused is not among them
        if same_site == "None" and not str(others.data.get("base_url", "https:") or "").startswith("https:"):
            message = "None needs https, else browsers drop the cookie: set DAYBOOK_BASE_URL to an https address"
            raise PydanticCustomError("cookie_same_site", message)
        return same_site

    @field_validator("cookie_partitioned")
    @classmethod
    def _require_other_sites(cls, partitioned: str, others: ValidationInfo) -> str:
        if partitioned == "on" and others.data.get("cookie_same_site", "None") != "None":
            message = "on is for pages of other sites only: set DAYBOOK_COOKIE_SAME_SITE to None too"
            raise PydanticCustomError("cookie_partitioned", message)
        return partitioned

    @field_validator("cookie_domain")
    @classmethod
    def _require_family(cls, domain: str | None, others: ValidationInfo) -> str | None:
        if domain is None or "base_url" not in others.data:
            return domain
        domain = domain.strip().lower().removeprefix(".")
        if wrong := wrong_with_cookie_domain(domain, host_of(others.data["base_url"] or _HERE)):
            raise PydanticCustomError("cookie_domain", "{wrong}", {"wrong": wrong})
        return domain

    @field_validator("trusted_origins")
    @classmethod
    def _require_origin_patterns(cls, origins: str) -> str:
        if wrong := [pattern for pattern in listed(origins) if not may_match_origin(pattern)]:
            message = (
                "{entry} matches no origin: name one such as https://app.example.com, or hosts such as *.example.com"
            )
            raise PydanticCustomError("origin", message, {"entry": repr(wrong[0])})
        return origins

    @field_validator("trusted_proxies")
    @classmethod
    def _require_networks(cls, proxies: str) -> str:
        networks(proxies)
        return proxies

    @field_validator("fresh_calls")
    @classmethod
    def _require_calls(cls, calls: str) -> str:
        if unknown := [call for call in listed(calls) if call not in MAY_NEED_FRESHNESS]:
            message = "{call} is none of: {calls}"
            raise PydanticCustomError(
                "call", message, {"call": repr(unknown[0]), "calls": ", ".join(MAY_NEED_FRESHNESS)}
            )
        return calls

    @model_validator(mode="after")
    def _require_mail(self) -> Self:
        wanting = {"EMAIL_VERIFICATION": self.email_verification, "DELETION_BY_MAIL": self.deletion_by_mail}
        for name, value in wanting.items():
            if value != "off" and not self.sends_mail:
                message = "{name} needs a way for mail to leave: set DAYBOOK_SMTP_URL or DAYBOOK_MAIL_FOLDER"
                raise PydanticCustomError("no_mail", message, {"name": f"{PREFIX}{name}"})
        return self

    @model_validator(mode="after")
    def _require_room_for_keys(self) -> Self:
        shortest, longest, usual = self.key_min_lifetime, self.key_max_lifetime, self.key_lifetime
        if shortest > longest or (usual and not shortest <= usual <= longest):
            message = "KEY_MIN_LIFETIME, KEY_LIFETIME and KEY_MAX_LIFETIME must be in this order"
            raise PydanticCustomError("key_lifetimes", message)
        return self

    @property
    def origin_patterns(self) -> tuple[str, ...]:
        """The other trusted origins (wire.md §4.3)."""
        return listed(self.trusted_origins)

    @property
    def proxy_networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """The trusted proxies; a single address is a network of one."""
        return networks(self.trusted_proxies)

    @property
    def lifetimes(self) -> Lifetimes:
        """How long sessions live."""
        full = timedelta(seconds=self.session_lifetime)
        return Lifetimes(
            full=full,
            brief=min(Lifetimes.brief, full),
            refresh=full / 7 if self.session_refresh_after is None else timedelta(seconds=self.session_refresh_after),
            fresh=timedelta(seconds=self.fresh_for),
            longest=timedelta(seconds=self.session_max_lifetime),
        )

    @cached_property
    def fresh_paths(self) -> frozenset[str]:
        """The paths below the base path that need a fresh session by these settings."""
        return frozenset(f"/{call}" for call in listed(self.fresh_calls))

    @property
    def rules(self) -> Rules:
        """What the operator allows."""
        return Rules(
            invitations=self.invitations == "on",
            invitation_lifetime=timedelta(seconds=self.invitation_lifetime),
            create_organizations=self.create_organizations == "on",
            open_sign_up=self.sign_up == "open",
            reset_lifetime=timedelta(seconds=self.reset_lifetime),
            email_verification=EmailVerification(self.email_verification),
            member_limit=self.member_limit or None,
            invitation_limit=self.invitation_limit or None,
            key_lifetime=timedelta(seconds=self.key_lifetime) if self.key_lifetime else None,
            key_shortest=timedelta(seconds=self.key_min_lifetime),
            key_longest=timedelta(seconds=self.key_max_lifetime),
        )

    @property
    def argon2(self) -> Argon2Parameters:
        """The cost of one password hash."""
        return Argon2Parameters(memory=self.argon2_memory, time=self.argon2_time, lanes=self.argon2_lanes)

    @property
    def notices_per_hour(self) -> int | None:
        """How many notices of a kind an account gets in an hour that its password is enough to cause; None: all."""
        return self.mails_per_hour if self.rate_limit == "on" else None

    @property
    def strength(self) -> Strength:
        """What makes a new password worth having."""
        return Strength(score=self.password_minimum_score, host=host_of(self.origin))

    @property
    def hashing_threads(self) -> int:
        """Threads for hashing in one worker: all workers together keep every core busy, and no more."""
        return max(1, (os.cpu_count() or 1) // self.workers)


def unknown_names(environment: Iterable[str]) -> dict[str, str | None]:
    """Names in the environment that look like settings and are none, each with the setting that is nearest."""
    known = [name.upper() for name in Settings.model_fields]
    unknown: dict[str, str | None] = {}
    for name in sorted(environment):
        said = name.upper().removeprefix(PREFIX)
        if said == name.upper() or said in known or name.upper() in OTHER_NAMES or _SERVICE_LINK.fullmatch(name):
            continue
        nearest = difflib.get_close_matches(said, known, n=1, cutoff=0.6)
        unknown[name] = f"{PREFIX}{nearest[0]}" if nearest else None
    return unknown
