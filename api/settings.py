"""Settings: what an operator may say, all of it in `DAYBOOK_…` environment variables."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from domain.passwords import Argon2Parameters
from domain.session import Lifetimes

SHORTEST_SECRET = 32
TEN_YEARS = 315_360_000


class Settings(BaseSettings):
    """Times are in seconds. What is not set has a default that works on one machine."""

    model_config = SettingsConfigDict(
        env_prefix="DAYBOOK_", extra="ignore", env_ignore_empty=True, hide_input_in_errors=True
    )

    # A PostgreSQL of your own, as the role that serves; without it an embedded one runs.
    database_url: str | None = None
    # The same database as the role that owns its tables, if that is another.
    owner_database_url: str | None = None
    # Where the embedded database and a generated secret are kept.
    data_dir: Path = Path("data")
    # Signs cookies and wraps the data key.
    secret: SecretStr | None = Field(default=None, min_length=SHORTEST_SECRET)
    # How browsers reach the service.
    base_url: str | None = Field(default=None, pattern=r"^https?://([A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?$")
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    workers: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1)
    # More origins whose pages may use the service, comma-separated (wire.md §4.3).
    trusted_origins: str = ""
    cookie_prefix: str = Field(default="better-auth", pattern=r"^[A-Za-z0-9_-]+$")
    rate_limit: Literal["on", "off"] = "on"
    # How long a session lives from its last renewal, and how long until a used one is renewed.
    session_lifetime: int = Field(default=604_800, ge=1, le=TEN_YEARS)
    session_refresh_after: int = Field(default=86_400, ge=0, le=TEN_YEARS)
    # One password hash: KiB of memory, passes, lanes. Not below OWASP's minimum.
    argon2_memory: int = Field(default=19_456, ge=19_456, le=4_194_304)
    argon2_time: int = Field(default=2, ge=2, le=100)
    argon2_lanes: int = Field(default=1, ge=1, le=64)
    # A city database in MaxMind's format; without it only countries are named.
    geoip_database: Path | None = None
    # Connections a worker keeps to the database.
    database_connections: int = Field(default=6, ge=2, le=1000)

    @property
    def origin(self) -> str:
        """How browsers reach the service, without a slash at the end."""
        return self.base_url or f"http://localhost:{self.port}"

    @property
    def secure(self) -> bool:
        """Whether browsers come over https; cookies then say so."""
        return self.origin.startswith("https://")

    @property
    def origin_patterns(self) -> tuple[str, ...]:
        """The other trusted origins (wire.md §4.3)."""
        return tuple(pattern.strip() for pattern in self.trusted_origins.split(",") if pattern.strip())

    @property
    def lifetimes(self) -> Lifetimes:
        """How long sessions live."""
        full = timedelta(seconds=self.session_lifetime)
        return Lifetimes(
            full=full,
            brief=min(Lifetimes.brief, full),
            refresh=timedelta(seconds=self.session_refresh_after),
        )

    @property
    def argon2(self) -> Argon2Parameters:
        """The cost of one password hash."""
        return Argon2Parameters(memory=self.argon2_memory, time=self.argon2_time, lanes=self.argon2_lanes)

    @property
    def hashing_threads(self) -> int:
        """Threads for hashing in one worker: all workers together keep every core busy, and no more."""
        return max(1, (os.cpu_count() or 1) // self.workers)
