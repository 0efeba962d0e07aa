"""A folder of messages: each whole or not there, for its owner's eyes, and what is wrong with it can be mended."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from api.deliveries.mail_folder import FolderUnusable, MailFolder
from api.deliveries.transport import TemporaryFailure
from domain import clock as system_clock
from tests.api.deliveries.test_mail import MAIL
from tests.server import ROOT

NAME = "invitation.00000000000000000000000000000001.1.eml"
WITHOUT_ROOM = """
import resource, sys
from pathlib import Path
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


def test_what_killed_senders_left_behind_is_removed_when_it_is_an_hour_old(tmp_path: Path) -> None:
    folder, now = MailFolder(tmp_path), system_clock.now()
    folder.deliver(MAIL)
    for name, age in ((".daybook-old", 3_700), (".daybook-new", 3_500), (".theirs", 9_000), ("their.eml", 9_000)):
        (tmp_path / name).write_text("")
        moment = now.timestamp() - age
        os.utime(tmp_path / name, (moment, moment))
    assert folder.remove_unfinished(now=now) == 1
    assert {file.name for file in tmp_path.iterdir()} == {".daybook-new", ".theirs", "their.eml", NAME}


def test_what_is_no_folder_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for name in ("absent", "file"):
        with pytest.raises(FolderUnusable, match=f"{name}, is not there or no folder"):
            MailFolder(tmp_path / name).require_usable()
    MailFolder(tmp_path).require_usable()
