"""A sign-in server of an organisation: real HTTP, real keys, and a person who always says yes."""

import base64
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

CLIENT, SECRET = "tidegate", "a secret for tests"


@dataclass
class Organisation:
    """What the server says; `claims` are added to every id_token, or taken out where None."""

    address: str = ""
    now: float = 0.0
    claims: dict[str, Any] = field(default_factory=dict)
    key: Any = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one"}))
    signed_with: Any = None
    issuer: str | None = None
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    is_down: bool = False

    def discovery(self) -> dict[str, Any]:
        """What is published."""
        return {
            "issuer": self.issuer or self.address,
            "authorization_endpoint": f"{self.address}/authorize",
            "token_endpoint": f"{self.address}/token",
            "jwks_uri": f"{self.address}/jwks",
            "end_session_endpoint": f"{self.address}/end",
        }

    def back(self, asked: dict[str, str]) -> str:
        """Where the browser is sent once the person said yes."""
        code = f"code-{len(self.codes)}"
        self.codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def token(self, asked: dict[str, str], authorization: str) -> dict[str, Any] | None:
        """The id_token for a code that its beginner brings; None for anyone else."""
        begun = self.codes.pop(asked.get("code", ""), None)
        pair = base64.b64encode(b"tidegate:a%20secret%20for%20tests").decode()
        proof = hashlib.sha256(asked.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(proof).decode().rstrip("=")
        is_theirs = (
            begun is not None
            and authorization == f"Basic {pair}"
            and begun["code_challenge"] == challenge
            and begun["redirect_uri"] == asked["redirect_uri"]
        )
        return {"id_token": self.signed(begun["nonce"])} if begun and is_theirs else None

    def logout_token(self) -> str:
        """What it posts to services once somebody signed out of it."""
        return self.signed(None, events={"http://schemas.openid.net/event/backchannel-logout": {}})

    def signed(self, nonce: str | None, **more: Any) -> str:
        """A token with the claims of whoever says yes here."""
        now = int(self.now or time.time())
        claims = {
            "iss": self.address,
            "aud": CLIENT,
            "sub": "u-1",
            "iat": now,
            "exp": now + 300,
            "auth_time": now,
            "nonce": nonce,
            "preferred_username": "maria",
            "roles": ["staff", "tidegate-reviewer"],
            **self.claims,
            **more,
        }
        content = {name: value for name, value in claims.items() if value is not None}
        key = self.signed_with or self.key
        return jwt.encode({"alg": "RS256", "kid": self.key.kid}, content, key)


class _Answering(BaseHTTPRequestHandler):
    told: Organisation

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if self.told.is_down:
            self._answer(503, b"")
        elif parts.path == "/authorize":
            self._answer(302, b"", Location=self.told.back(_single(parts.query)))
        elif parts.path == "/jwks":
            self._json(KeySet([self.told.key]).as_dict(private=False))
        else:
            self._json(self.told.discovery())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        found = self.told.token(_single(body), self.headers.get("Authorization", ""))
        if found:
            self._json(found)
        else:
            self._answer(400, b"{}")

    def _json(self, content: Any) -> None:
        self._answer(200, json.dumps(content).encode())

    def _answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Keep the output of the tests clean."""


def _single(query: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(query).items()}


@contextmanager
def organisation(host: str = "127.0.0.1") -> Iterator[Organisation]:
    """A server that answers until the context ends."""
    told = Organisation()
    answering = type("Answering", (_Answering,), {"told": told})
    server = ThreadingHTTPServer(("127.0.0.1", 0), answering)
    told.address = f"http://{host}:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
