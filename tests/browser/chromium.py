"""Chromium, where there is one: what a real browser does with cookies on pages of several hosts, all over https."""

from __future__ import annotations

import html
import json
import re
import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.people import NOON

PROGRAM = shutil.which("chromium") or shutil.which("google-chrome")
ACCOUNTS = "accounts.example.com"
"""The host whose `/api/auth` is Daybook; all others serve a page, and say which cookies they were sent."""

_PATIENCE = 60.0
_RENAMED = "daybook:8000"
_PASSED_ON = {"content-type", "cookie", "origin", "referer", "user-agent", "sec-fetch-site", "sec-fetch-mode",
              "sec-fetch-dest", "access-control-request-method", "access-control-request-headers"}  # fmt: skip
_SCRIPT = """<!doctype html><body><pre id="told">nothing</pre><script>
(async () => {{
  const ask = async (path, body) => {{
    const answer = await fetch('https://{accounts}/api/auth' + path, {{
      credentials: 'include', method: body ? 'POST' : 'GET',
      ...(body && {{ body: JSON.stringify(body), headers: {{ 'content-type': 'application/json' }} }}),
    }});
    return await answer.json();
  }};
  const shown = (url) => new Promise((resolve) => {{
    const image = document.body.appendChild(new Image());
    image.onload = () => resolve([image.naturalWidth, image.naturalHeight]);
    image.onerror = () => resolve(null);
    image.src = url;
  }});
  let told = [];
  for (const [path, body] of {asked}) told.push(await (path.startsWith('https:') ? shown(path) : ask(path, body)));
  told.push({{ cookies: await (await fetch('/cookies')).text() }});
  document.getElementById('told').textContent = JSON.stringify(told);
}})();
</script>"""


class Hosts:
    """All hosts of the internet, on one port of loopback; Daybook's stands behind a proxy that renames it."""

    def __init__(self, folder: Path) -> None:
        self.daybook = ""
        self.asked: list[Any] = []
        hosts = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                hosts.answer(self)

            do_POST = do_OPTIONS = do_GET

            def log_message(self, *_: object) -> None:
                """Nothing to standard error."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(_certificate(folder))
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def close(self) -> None:
        """Serve no more."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """As the host that was asked does."""
        if request.headers["host"] == ACCOUNTS and request.path.startswith("/api/auth"):
            return self._passed_on(request)
        text = str(request.headers.get("cookie", ""))
        if request.path != "/cookies":
            text = _SCRIPT.format(accounts=ACCOUNTS, asked=json.dumps(self.asked))
        self._send(request, 200, [("Content-Type", "text/html")], text.encode())

    def _passed_on(self, request: BaseHTTPRequestHandler) -> None:
        given = {name: value for name, value in request.headers.items() if name.lower() in _PASSED_ON}
        body = request.rfile.read(int(request.headers.get("content-length", 0))) or None
        behind = HTTPConnection(urlsplit(self.daybook).netloc, timeout=_PATIENCE)
        try:
            behind.request(request.command, request.path, body, {**given, "Host": _RENAMED})
            answer = behind.getresponse()
            hop = {"connection", "content-length", "transfer-encoding", "date", "server"}
            headers = [(name, value) for name, value in answer.getheaders() if name.lower() not in hop]
            self._send(request, answer.status, headers, answer.read())
        finally:
            behind.close()

    def _send(self, request: BaseHTTPRequestHandler, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        request.send_response(status)
        for name, value in [*headers, ("Content-Length", str(len(body)))]:
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(body)


@contextmanager
def hosts(folder: Path) -> Iterator[Hosts]:
    """The hosts, while this lasts."""
    served = Hosts(folder)
    try:
        yield served
    finally:
        served.close()


def visits(hosts: Hosts, host: str, profile: Path, asked: list[Any], *, apart: bool = False) -> Any:
    """Open a page of this host that asks Daybook all of this, path and body, one after the other.

    Of a whole address it shows the picture there, and tells its width and height, or null.

    What was answered, and in the end which cookies the page's own server was sent. The `profile` keeps cookies from one
    visit to the next, those of other sites only `apart` for each, as Safari and Firefox do, or as they are.
    """
    assert PROGRAM is not None
    hosts.asked = asked
    (profile / "Default").mkdir(parents=True, exist_ok=True)
    preferences = profile / "Default" / "Preferences"
    if not preferences.exists():
        third_party = {"block_third_party_cookies": apart, "cookie_controls_mode": int(apart)}
        preferences.write_text(json.dumps({"profile": third_party}))
    command = [
        PROGRAM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
        "--ignore-certificate-errors", f"--host-resolver-rules=MAP * 127.0.0.1:{hosts.port}",
        f"--user-data-dir={profile}", "--timeout=20000", "--virtual-time-budget=15000",
        "--dump-dom", f"https://{host}/",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, timeout=_PATIENCE, check=False)
    found = re.search(r'<pre id="told">(.*?)</pre>', done.stdout.decode(), re.DOTALL)
    assert found is not None, done.stderr.decode()[-2000:]
    return json.loads(html.unescape(found[1]))


def _certificate(folder: Path) -> Path:
    """A file with a key and a certificate that nobody trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "tests")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOON - timedelta(days=3650))
        .not_valid_after(NOON + timedelta(days=3650))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, SHA256())
    )
    file = folder / "certificate.pem"
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(secret + certificate.public_bytes(Encoding.PEM))
    return file
