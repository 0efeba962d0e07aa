"""Settings of where it runs: the database, the secret, the address browsers know, the port and its processes."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import Field, SecretStr, field_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, SettingsConfigDict

from .setting_values import wrong_with_origin

PREFIX = "DAYBOOK_"
BASE_PATH = "/api/auth"
"""Below which the contract is spoken, behind the address of the service."""
SHORTEST_SECRET = 32


class DeploymentSettings(BaseSettings):
    """Times are in seconds."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, extra="ignore", env_ignore_empty=True, hide_input_in_errors=True
    )

    # A PostgreSQL of your own, as the role that serves; without it an embedded one runs.
    database_url: str | None = None
    # The same database as the role that owns its tables, if that is another.
    owner_database_url: str | None = None
    # Where the embedded database and a generated secret are kept.
    data_dir: Path = Path("data")
    # Signs cookies and wraps the data key.
    secret: SecretStr | None = None
    # How browsers reach the service.
    base_url: str | None = None
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    # How long readiness says no before the port closes, so that balancers send nobody any more.
    drain_for: int = Field(default=0, ge=0, le=3600)
    workers: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1)

    @field_validator("secret")
    @classmethod
    def _require_long(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None and len(secret.get_secret_value()) < SHORTEST_SECRET:
            raise PydanticCustomError("secret", f"must have at least {SHORTEST_SECRET} characters")
        if secret is not None and not secret.get_secret_value().strip():
            raise PydanticCustomError("secret", "must not consist of blanks")
        return secret

    @field_validator("base_url")
    @classmethod
    def _require_origin(cls, url: str | None) -> str | None:
        if url is not None and (wrong := wrong_with_origin(url)):
            raise PydanticCustomError("base_url", wrong)
        return url

    @property
    def origin(self) -> str:
        """How browsers reach the service, without a slash at the end."""
        return self.base_url or f"http://localhost:{self.port}"

    @property
    def secure(self) -> bool:
        """Whether browsers come over https; cookies then say so."""
        return self.origin.startswith("https://")
