"""docs/building.md's examples, run as printed: a session checked by a backend, a bearer token on another site."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.clients.javascript import installed
from tests.clients.kept import cannot_run
from tests.clients.pages import opened
from tests.clients.printed import Machine, blocks, machine_serving
from tests.people import PASSWORD

GUIDE = "docs/building.md"
BEARER, NODE = blocks(GUIDE, "js")
[PYTHON], [GO] = blocks(GUIDE, "python"), blocks(GUIDE, "go")
SERVE = "scripts/serve"
BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"

Check = Callable[[Mapping[str, str], str], Any]
"""A backend's look at the session of a request with these headers from there, as a language's example has it."""

IN_NODE = """
const [headers, peer] = process.argv.slice(2);
console.log(JSON.stringify(await currentSession(JSON.parse(headers), peer)));
"""
IN_GO = """
package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
)

func main() {
	asked, _ := http.NewRequest("GET", "/", nil)
	headers := map[string]string{}
	if err := json.Unmarshal([]byte(os.Args[1]), &headers); err != nil {
		panic(err)
	}
	for name, value := range headers {
		asked.Header.Set(name, value)
	}
	asked.RemoteAddr = os.Args[2] + ":50000"
	current, err := CurrentSession(asked)
	if err != nil {
		panic(err)
	}
	answer := map[string]any{}
	if current != nil {
		answer["session"] = map[string]string{"id": current.Session.ID}
		answer["user"] = map[string]string{"email": current.User.Email}
	}
	text, _ := json.Marshal(answer)
	fmt.Println(string(text))
}
"""


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A machine on which the backend is trusted to say whom it is asked by, and two pages are."""
    trusting = {"TRUSTED_PROXIES": "127.0.0.1", "TRUSTED_ORIGINS": "http://127.0.0.1:5173", "HOST": "127.0.0.1"}
    data = tmp_path_factory.mktemp("machine") / "data"
    with machine_serving(SERVE, data, **trusting) as machine:
        yield machine


def run(command: list[str], folder: Path) -> str:
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=180, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def in_python(machine: Machine, _folder: Path) -> Check:
    printed: dict[str, Any] = {}
    exec(machine.here(PYTHON), printed)  # noqa: S102  what the document prints
    check: Check = printed["current_session"]
    return check


def in_node(machine: Machine, folder: Path) -> Check:
    installed(spare=folder)
    (folder / "check.mjs").write_text(machine.here(NODE) + IN_NODE)

    def check(headers: Mapping[str, str], peer: str) -> Any:
        lower = {name.lower(): value for name, value in headers.items()}
        return json.loads(run(["node", "check.mjs", json.dumps(lower), peer], folder))

    return check


def in_go(machine: Machine, folder: Path) -> Check:
    if not shutil.which("go"):
        cannot_run("there is no Go here")
    (folder / "go.mod").write_text("module example.com/backend\n\ngo 1.19\n")
    (folder / "check.go").write_text(machine.here(GO))
    (folder / "main.go").write_text(IN_GO)
    # without a C compiler too
    go = ["env", "CGO_ENABLED=0", "go"]
    run([*go, "vet", "."], folder)
    assert run(["gofmt", "-l", "check.go"], folder) == ""
    run([*go, "build", "-o", "check", "."], folder)
    return lambda headers, peer: json.loads(run(["./check", json.dumps(headers), peer], folder)) or None


@pytest.mark.parametrize(
    ("language", "peer"), [(in_python, "203.0.113.7"), (in_node, "203.0.113.8"), (in_go, "203.0.113.9")]
)
def test_a_backend_sees_whose_session_it_is_and_leaves_no_trace_of_its_own(
    machine: Machine, tmp_path: Path, language: Callable[[Machine, Path], Check], peer: str
) -> None:
    check = language(machine, tmp_path)
    email = f"ada.{language.__name__}@example.com"
    asked_from = {"User-Agent": BROWSER, "X-Forwarded-For": peer}
    with httpx.Client(base_url=f"{machine.url}/api/auth", headers={**asked_from, "Origin": machine.url}) as browser:
        fields = {"name": "Ada", "email": email, "password": PASSWORD}
        token = browser.post("/sign-up/email", json=fields).raise_for_status().json()["token"]
        cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())

        by_cookie = check({"Cookie": f"theme=dark; {cookie}", "User-Agent": BROWSER, "X-Own": "not passed on"}, peer)
        by_token = check({"Authorization": f"Bearer {token}", "User-Agent": BROWSER}, peer)
        shown = browser.get("/get-session").json()
        [listed] = browser.get("/list-sessions").json()
        journal = browser.get("/activity/list").json()["entries"]

    assert by_cookie["user"]["email"] == by_token["user"]["email"] == email
    assert by_cookie["session"]["id"] == by_token["session"]["id"] == shown["session"]["id"]
    assert check({"User-Agent": BROWSER}, peer) is None
    assert check({"Authorization": "Bearer made-up", "User-Agent": BROWSER}, peer) is None
    assert (listed["ipAddress"], listed["userAgent"]) == (peer, BROWSER)
    assert "SessionMoved" not in [entry["event"] for entry in journal]


def test_a_backend_that_passes_nothing_on_is_what_the_person_sees(machine: Machine) -> None:
    asked_from = {"User-Agent": BROWSER, "X-Forwarded-For": "203.0.113.10"}
    with httpx.Client(base_url=f"{machine.url}/api/auth", headers={**asked_from, "Origin": machine.url}) as browser:
        fields = {"name": "Bo", "email": "bo@example.com", "password": PASSWORD}
        token = browser.post("/sign-up/email", json=fields).raise_for_status().json()["token"]
        by_itself = {"Authorization": f"Bearer {token}", "User-Agent": "my-backend/1"}
        changed = httpx.post(f"{machine.url}/api/auth/update-user", json={"name": "Bo King"}, headers=by_itself)
        assert changed.status_code == 200
        [listed] = browser.get("/list-sessions").json()
    assert (listed["ipAddress"], listed["userAgent"]) == ("127.0.0.1", "my-backend/1")


def test_on_another_site_the_token_is_kept_as_printed(
    machine: Machine, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    node_modules = installed(spare=tmp_path_factory.mktemp("packages"))
    fields = {"name": "Ada", "email": "ada@example.com", "password": PASSWORD}
    httpx.post(f"{machine.url}/api/auth/sign-up/email", json=fields).raise_for_status()
    came = opened(machine.here(BEARER), machine, tmp_path / "app", node_modules, host="127.0.0.1")
    assert any("email: ada@example.com" in line for line in came["said"]), came
    # the browser dropped the cookie, and the page has the token
    assert came["email"] is None
    by_token = httpx.get(f"{machine.url}/api/auth/get-session", headers={"Authorization": f"Bearer {came['stored']}"})
    assert by_token.json()["user"]["email"] == "ada@example.com"
