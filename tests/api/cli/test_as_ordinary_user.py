"""As root the embedded database runs as somebody with fewer rights."""

from __future__ import annotations

import pwd
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from api.cli.embedded import EmbeddedPostgres
from tests.api.cli.clusters import ROOT, ask, postmaster, tell

# The namespace of the test may create no further one, as in a container: what follows meets a kernel that refuses.
REFUSED_NAMESPACES = """
import ctypes, os, sys
assert ctypes.CDLL(None).unshare(0x10000000) == 0
print("unshared", flush=True)
sys.stdin.readline()
open("/proc/sys/user/max_user_namespaces", "w").write("0")
from pathlib import Path
import psycopg
from api.cli.embedded import DatabaseWontStart, EmbeddedPostgres
database = EmbeddedPostgres(Path(sys.argv[1]))
try:
    database.start()
    with psycopg.connect(database.conninfo("postgres")) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS visits (n int)")
        connection.execute("INSERT INTO visits VALUES (1)")
        print(connection.execute("SELECT count(*) FROM visits").fetchone()[0])
    database.stop()
except DatabaseWontStart as refusal:
    print(refusal)
"""


@pytest.mark.skipif(not ROOT, reason="only root has privileges to give up")
def test_as_root_the_server_runs_without_privileges(database: EmbeddedPostgres, folder: Path) -> None:
    database.start()
    status = Path(f"/proc/{postmaster(folder).pid}/status").read_text()
    capabilities = [line.split()[1] for line in status.splitlines() if line.startswith(("CapPrm", "CapEff"))]
    assert capabilities == ["0" * 16, "0" * 16]


def where_namespaces_are_refused(folder: Path) -> str:
    child = subprocess.Popen(
        [sys.executable, "-c", REFUSED_NAMESPACES, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    if child.stdout.readline() != "unshared\n":
        child.communicate()
        pytest.skip("this kernel gives no user namespaces")
    for name in ("uid_map", "gid_map"):
        Path(f"/proc/{child.pid}/{name}").write_text("0 0 65536")
    answer, _ = child.communicate("go\n", timeout=60)
    return answer.strip()


@pytest.mark.skipif(not ROOT, reason="only root needs to become somebody else")
def test_where_the_kernel_refuses_namespaces_root_starts_it_as_nobody(database: EmbeddedPostgres, folder: Path) -> None:
    assert where_namespaces_are_refused(folder) == "1"
    assert (folder / "postgres").stat().st_uid == pwd.getpwnam("nobody").pw_uid
    assert stat.S_IMODE(folder.stat().st_mode) == 0o710
    assert where_namespaces_are_refused(folder) == "2"
    database.start()
    assert ask(database, "SELECT count(*) FROM visits") == 2


@pytest.mark.skipif(not ROOT, reason="only root needs to become somebody else")
def test_data_made_in_a_namespace_goes_on_where_the_kernel_refuses_them(
    database: EmbeddedPostgres, folder: Path
) -> None:
    database.start()
    tell(database, "CREATE TABLE visits AS SELECT 1 AS n")
    database.stop()
    assert where_namespaces_are_refused(folder) == "2"


@pytest.mark.skipif(not ROOT, reason="only root needs to become somebody else")
def test_a_folder_that_lets_nobody_pass_is_named(folder: Path) -> None:
    folder.parent.chmod(0o700)
    assert where_namespaces_are_refused(folder) == (
        f"PostgreSQL has to run as the user with the id {pwd.getpwnam('nobody').pw_uid}, "
        f"whom the folder {folder.parent} does not let pass."
    )
