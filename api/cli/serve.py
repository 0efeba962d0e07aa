"""`daybook serve`: port, database, migrations and workers, from the first moment to the last."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import threading
import time
import urllib.error
import urllib.request
import webbrowser
from collections.abc import Iterator
from contextlib import closing, contextmanager
from logging.config import dictConfig
from urllib.parse import urlsplit

from rich.console import Console

from api.background.logs import LOGGING
from api.deliveries.mail_folder import FolderUnusable, MailFolder
from api.deliveries.mail_texts import MailTexts
from api.deliveries.template_files import TemplateUnusable
from api.mail_settings import MailSettings
from api.pages.look import Look, LookUnusable
from api.settings import Settings
from domain import clock as system_clock
from projections.places import Places, PlacesUnreadable

from .database import Database, DatabaseAway, Prepared, database, prepare
from .listener import Listener
from .outages import Lasting
from .refusal import WontStart
from .secret_file import secret_of
from .supervisor import Supervisor

_LOOK_AGAIN = 1.0
"""Seconds between looks for a database that is not up yet."""

_DIRECTLY = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""A proxy that the environment names does not reach this machine's own address."""

_logger = logging.getLogger("daybook")


def serve(settings: Settings, *, show: bool, as_json: bool) -> None:
    """Serve until a signal ends it. Raises WontStart; whatever was started by then is stopped again."""
    # until the supervisor listens to signals: what was started is stopped again
    signal.signal(signal.SIGTERM, _stop)
    dictConfig(LOGGING)
    _require_places(settings)
    _require_mail_folder(settings)
    _require_mail_templates(settings)
    _require_look(settings)
    with closing(Listener(settings.host, settings.port)) as listener:
        # before there is a database, beside which none would be made any more
        secret = secret_of(settings)
        with database(settings) as found:
            os.environ.update(DAYBOOK_DATABASE_URL=found.application_url, DAYBOOK_SECRET=secret)
            # workers serve; what the owner may do is none of their business
            os.environ.pop("DAYBOOK_OWNER_DATABASE_URL", None)
            _serve(settings, found, Preparation(settings, found), listener, show=show, as_json=as_json)


def _serve(
    settings: Settings, found: Database, preparation: Preparation, listener: Listener, *, show: bool, as_json: bool
) -> None:
    # if it answers now, what is wrong with it is said before anything else is started
    preparation.try_once()
    _open_outbox(settings)
    _logger.info("%s", where_mail_goes(settings))
    supervisor = Supervisor(
        listener=listener,
        workers=settings.workers,
        drain_for=settings.drain_for,
        database_url=found.application_url,
        embedded=found.embedded,
        prepared=lambda: preparation.done is not None,
        clock=system_clock.now,
    )
    with preparation.going_on(supervisor):
        threading.Thread(target=_announce, args=(settings, preparation, supervisor, show, as_json), daemon=True).start()
        supervisor.run()
    if preparation.refused is not None:
        raise preparation.refused
    if supervisor.failed:
        raise WontStart("A worker could not start; what it wrote before says why.")


class Preparation:
    """Checking and migrating the database, as soon as it answers. Meanwhile workers say that it is away."""

    def __init__(self, settings: Settings, found: Database) -> None:
        self._settings, self._found = settings, found
        self._waiting = Lasting()
        self.done: Prepared | None = None
        self.refused: WontStart | None = None

    def try_once(self) -> None:
        """Raises WontStart for what waiting does not mend."""
        now, at = time.monotonic(), system_clock.now()
        try:
            self.done = prepare(self._found, self._settings, founding=False)
        except DatabaseAway as away:
            if since := self._waiting.goes_on(now, at):
                _logger.warning("Waiting for the database since %s. %s", since, away)
            return
        if self.done.newer:
            _logger.warning(
                "A newer release of Daybook has migrated this database (%s); this one works with it until that release"
                " takes away what only older ones need.",
                ", ".join(self.done.newer),
            )
        waited = self._waiting.over(now)
        if waited is not None:
            _logger.info("The database answers after %.0f s.", waited)

    @contextmanager
    def going_on(self, supervisor: Supervisor) -> Iterator[None]:
        """In a thread of its own, until it is done or the supervisor stops; a refusal stops the supervisor."""
        over = threading.Event()

        def go_on() -> None:
            try:
                while self.done is None and not over.wait(_LOOK_AGAIN):
                    self.try_once()
            except WontStart as refused:
                self.refused = refused
                supervisor.stop()

        thread = threading.Thread(target=go_on, name="preparation", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()


def _require_places(settings: Settings) -> None:
    """Here, and not only where workers open it: nobody would see why they end. Raises WontStart."""
    try:
        Places(settings.geoip_database)
    except PlacesUnreadable as error:
        raise WontStart(str(error)) from error


def _require_mail_folder(settings: Settings) -> None:
    """A misspelt one would be noticed by those who wait for their mail. Raises WontStart."""
    if settings.mail_folder is not None:
        with _refused_mail():
            MailFolder(settings.mail_folder).require_usable()


def _require_mail_templates(settings: Settings) -> None:
    """Else the first who waits for a mail would notice. Raises WontStart."""
    try:
        MailTexts(settings.mail_templates).require_usable()
    except TemplateUnusable as error:
        raise WontStart(str(error)) from error


def _require_look(settings: Settings) -> None:
    """Else the first who looks at a page would notice. Raises WontStart."""
    try:
        if settings.has_pages:
            Look.of(settings)
    except LookUnusable as error:
        raise WontStart(str(error)) from error


def _open_outbox(settings: Settings) -> None:
    """Where nobody said how mail leaves, beside the embedded database. Raises WontStart."""
    if settings.outbox is None:
        return
    with _refused_mail():
        folder = MailFolder(settings.outbox)
        folder.make()
        folder.require_usable()
    # its children are told of a database, and would take it for one of the operator's
    os.environ.update(DAYBOOK_MAIL_FOLDER=str(settings.outbox))


def where_mail_goes(settings: MailSettings) -> str:
    """In one sentence for the log, without who signs in there."""
    if (server := settings.smtp) is not None:
        by = {"starttls": "STARTTLS", "tls": "TLS", "off": "in the clear"}[server.security]
        return f"Mail goes to the mail server {server.host}, port {server.port} ({by})."
    if settings.outbox is not None:
        return f"Mail is not sent but left in {settings.outbox}: name a mail server by DAYBOOK_SMTP_URL."
    if settings.mail_folder is not None:
        return f"Mail goes to the folder {settings.mail_folder}, for a mail server to pick it up."
    return "No mail leaves from here: set DAYBOOK_SMTP_URL or DAYBOOK_MAIL_FOLDER."


@contextmanager
def _refused_mail() -> Iterator[None]:
    try:
        yield
    except FolderUnusable as error:
        raise WontStart(str(error)) from error


def _stop(_number: int, _frame: object) -> None:
    # a second signal must not interrupt the stopping
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(0)


def _announce(settings: Settings, preparation: Preparation, supervisor: Supervisor, show: bool, as_json: bool) -> None:
    """Say where to look, once the service is ready, and `show` it in the person's browser."""
    url = f"http://{_host(settings)}:{settings.port}"
    docs = f"{_by_its_own_name(settings) or url}/docs"
    supervisor.ready.wait()
    while not _ready(f"{url}/readyz"):
        time.sleep(0.1)
    if show and not webbrowser.open(docs):
        _logger.warning("There is no browser here to show %s in.", docs)
    if as_json:
        applied = [] if preparation.done is None else preparation.done.applied
        print(json.dumps({"url": settings.origin, "docs": docs, "migrated": applied}), flush=True)
        return
    console = Console(highlight=False, soft_wrap=True, markup=False)
    if settings.has_pages:
        console.print(f"Daybook is ready at {settings.origin}; for programs at {settings.origin}/api/auth ({docs})")
    else:
        console.print(f"Daybook is ready at {settings.origin}/api/auth (all routes: {docs})")
    if settings.database_url is None:
        console.print(f"Its database and its secret are kept in {settings.data_dir.resolve()}; stop it with Ctrl-C.")


def _host(settings: Settings) -> str:
    """By which this machine reaches the port."""
    anywhere = settings.host in ("0.0.0.0", "::")  # noqa: S104  compared, not bound
    return "localhost" if anywhere else f"[{settings.host}]" if ":" in settings.host else settings.host


def _by_its_own_name(settings: Settings) -> str | None:
    """The origin as browsers know it, if it is this machine's port: from another name the documentation's page may not
    call what it shows.
    """
    own = urlsplit(settings.origin)
    here = own.scheme == "http" and own.port == settings.port and own.hostname in ("localhost", "127.0.0.1", "::1")
    return settings.origin if here else None


def _ready(url: str) -> bool:
    try:
        with _DIRECTLY.open(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
