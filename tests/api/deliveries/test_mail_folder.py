"""A folder of messages: each whole or not there, for its owner's eyes, and what is wrong with it can be mended."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from api.deliveries.channels import keep_tidy
from api.deliveries.mail_folder import FolderUnusable, MailFolder
from api.deliveries.transport import TemporaryFailure
from api.settings import Settings
from domain import clock as system_clock
from tests.api.deliveries.test_mail import MAIL
from tests.faults.test_background_process import within
from tests.server import ROOT

NAME = "invitation.00000000000000000000000000000001.1.eml"
WITHOUT_ROOM = """
import resource, sys
from pathlib import Path
from api.deliveries.channels import keep_tidy
from api.deliveries.mail_folder import MailFolder
from api.deliveries.transport import TemporaryFailure
from tests.api.deliveries.test_mail import MAIL
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
try:
    MailFolder(Path(sys.argv[1])).deliver(MAIL)
except TemporaryFailure as failure:
    print(failure.reason)
"""

WITHOUT_PRIVILEGES = """
import ctypes, logging, sys
from pathlib import Path
from api.deliveries.channels import keep_tidy
from api.deliveries.mail_folder import FolderUnusable, MailFolder
from tests.api.deliveries.test_mail import MAIL
# whoever may read and write everything gives that up, for good (capset(2))
assert ctypes.CDLL(None).capset((ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()) == 0
logging.basicConfig(stream=sys.stdout, format="%(levelname)s %(message)s")
folder = MailFolder(Path(sys.argv[1]))
try:
    folder.require_usable()
except FolderUnusable as unusable:
    print(unusable)
if sys.argv[2] == "deliver":
    folder.deliver(MAIL)
    folder.deliver(MAIL)
"""
NOT_SETTLED = (
    "The folder for mail cannot be written to the disk by itself ({}): what was left in it shortly before a power cut"
    " may be lost. Messages are written as before."
)


def without_privileges(folder: Path, mode: int, *, deliver: bool = False) -> list[str]:
    """What is said about a folder of one's own with this mode, when it is asked for and when messages are written."""
    folder.mkdir()
    folder.chmod(mode)
    command = [sys.executable, "-c", WITHOUT_PRIVILEGES, str(folder), "deliver" if deliver else "ask"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    folder.chmod(0o700)
    return done.stdout.splitlines()


def test_a_message_is_one_file_that_only_its_owner_may_read(tmp_path: Path) -> None:
    MailFolder(tmp_path).deliver(MAIL)
    [file] = tmp_path.iterdir()
    assert file.name == NAME
    assert file.read_bytes() == MAIL.content
    assert file.stat().st_mode & 0o777 == 0o600


def test_the_same_message_again_takes_the_place_of_the_first(tmp_path: Path) -> None:
    folder = MailFolder(tmp_path)
    folder.deliver(MAIL)
    folder.deliver(replace(MAIL, at=MAIL.at + timedelta(minutes=1)))
    [file] = tmp_path.iterdir()
    assert b"12:01:00" in file.read_bytes()


def test_many_that_write_the_same_message_leave_one_that_is_whole(tmp_path: Path) -> None:
    folder = MailFolder(tmp_path)
    long = replace(MAIL, text="Grüße\n" * 50_000)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(folder.deliver, [long] * 16))
    [file] = tmp_path.iterdir()
    assert file.read_bytes() == long.content


def test_a_folder_that_is_not_there_is_a_failure_that_may_pass_and_is_not_made(tmp_path: Path) -> None:
    folder = MailFolder(tmp_path / "gone")
    with pytest.raises(TemporaryFailure, match="ENOENT"):
        folder.deliver(MAIL)
    assert not (tmp_path / "gone").exists()
    (tmp_path / "gone").mkdir()
    folder.deliver(MAIL)
    assert [file.name for file in (tmp_path / "gone").iterdir()] == [NAME]


def test_without_room_for_it_nothing_is_left_behind(tmp_path: Path) -> None:
    """A file may have a hundred bytes here, as on a disk that is full after so many."""
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_ROOM, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "EFBIG\n"
    assert list(tmp_path.iterdir()) == []


def test_what_killed_senders_left_behind_is_removed_when_it_is_ten_minutes_old(tmp_path: Path) -> None:
    folder, now = MailFolder(tmp_path), system_clock.now()
    folder.deliver(MAIL)
    for name, age in ((".daybook-old", 610), (".daybook-new", 590), (".theirs", 9_000), ("their.eml", 9_000)):
        (tmp_path / name).write_text("")
        moment = now.timestamp() - age
        os.utime(tmp_path / name, (moment, moment))
    assert folder.remove_unfinished(now=now) == 1
    assert {file.name for file in tmp_path.iterdir()} == {".daybook-new", ".theirs", "their.eml", NAME}


def test_what_cannot_be_removed_keeps_nothing_else(tmp_path: Path) -> None:
    folder, now = MailFolder(tmp_path), system_clock.now()
    long_ago = now.timestamp() - 9_000
    for number in range(10):
        (tmp_path / f".daybook-folder{number}").mkdir()
        os.utime(tmp_path / f".daybook-folder{number}", (long_ago, long_ago))
    (tmp_path / ".daybook-old").write_text("")
    os.utime(tmp_path / ".daybook-old", (long_ago, long_ago))
    assert folder.remove_unfinished(now=now) == 1
    assert not (tmp_path / ".daybook-old").exists()
    assert MailFolder(tmp_path / "gone").remove_unfinished(now=now) == 0


def test_while_messages_are_sent_what_was_left_behind_goes_too(tmp_path: Path) -> None:
    """By another node, say, after this one has begun: it holds an address and a link."""
    stop = threading.Event()
    settings = Settings(mail_folder=tmp_path)
    tidying = threading.Thread(target=keep_tidy, args=(settings, system_clock.now, stop), kwargs={"every": 0.05})
    tidying.start()
    try:
        (tmp_path / "first.eml").write_text("")
        old = tmp_path / ".daybook-old"
        old.write_text("To: bo@example.com")
        moment = system_clock.now().timestamp() - 700
        os.utime(old, (moment, moment))
        (tmp_path / ".daybook-new").write_text("")
        within(10, lambda: not old.exists())
        assert {file.name for file in tmp_path.iterdir()} == {"first.eml", ".daybook-new"}
    finally:
        stop.set()
        tidying.join(10)
    assert not tidying.is_alive()


@pytest.mark.parametrize("code", [errno.EINVAL, errno.EIO])
def test_what_is_in_its_place_is_delivered_though_the_folder_cannot_be_settled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, code: int
) -> None:
    """Some filesystems do not write a folder to the disk when asked to. Whoever picks up has the message already."""
    really = os.fsync

    def fsync(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(code, "not for folders")
        really(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    folder = MailFolder(tmp_path)
    folder.require_usable()
    for _ in range(3):
        folder.deliver(MAIL)
        (tmp_path / NAME).unlink()
    assert list(tmp_path.iterdir()) == []
    assert caplog.messages == [NOT_SETTLED.format(errno.errorcode[code])]


def test_a_folder_that_turns_into_a_drop_box_gets_each_message_once(tmp_path: Path) -> None:
    refused, warned = without_privileges(tmp_path / "box", 0o300, deliver=True)
    assert refused.startswith("The folder for mail, ")
    assert warned == f"WARNING {NOT_SETTLED.format('EACCES')}"
    assert [file.name for file in (tmp_path / "box").iterdir()] == [NAME]


@pytest.mark.parametrize("mode", [0o300, 0o500, 0o600, 0o400, 0o000])
def test_a_folder_in_which_sending_would_fail_or_leave_something_behind_is_refused(tmp_path: Path, mode: int) -> None:
    """Without reading it, what killed senders left could not be found."""
    [sentence] = without_privileges(tmp_path / "box", mode)
    where = tmp_path / "box"
    assert sentence == (
        f"The folder for mail, {where}, cannot be used (EACCES): who serves must be able to list it, and to write,"
        " rename and remove files in it."
    )
    assert list(where.iterdir()) == []
    assert without_privileges(tmp_path / "good", 0o700) == []


def test_a_disk_that_is_full_at_the_moment_is_no_reason_not_to_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr(os, "fsync", full)
    MailFolder(tmp_path).require_usable()
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_folder_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for name in ("absent", "file"):
        with pytest.raises(FolderUnusable, match=f"{name}, is not there or no folder"):
            MailFolder(tmp_path / name).require_usable()
    MailFolder(tmp_path).require_usable()
    assert {file.name for file in tmp_path.iterdir()} == {"file"}


def test_the_outbox_is_made_for_who_serves_alone(tmp_path: Path) -> None:
    outbox = tmp_path / "data" / "outbox"
    MailFolder(outbox).make()
    MailFolder(outbox).make()
    assert outbox.stat().st_mode & 0o777 == 0o700
    MailFolder(outbox).deliver(MAIL)
    [file] = outbox.glob("*.eml")
    assert file.stat().st_mode & 0o777 == 0o600


def test_an_outbox_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("mine")
    with pytest.raises(FolderUnusable, match="cannot be made"):
        MailFolder(tmp_path / "data" / "outbox").make()
