"""The recipes of docs/operations/network.md, run by the programs that they are for."""

import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from serving.access.accounts import new_account
from serving.app import create_app, utc_now
from serving.settings import Settings
from tests.ports import free_port
from tests.serving.cli.test_listening import certificate, serving

__all__ = ["certificate"]

PAGE = Path(__file__).parents[3] / "docs" / "operations" / "network.md"


def recipe(language: str) -> str:
    """The block of the page in this language."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return str(found)


def here(text: str, certificate: tuple[Path, Path], upstream: int) -> str:
    """The recipe with a certificate and a service of this machine."""
    cert, key = map(str, certificate)
    for given, own in (
        ("/etc/tidegate/tls/fullchain.pem", cert),
        ("/etc/tidegate/tls/privkey.pem", key),
        ("127.0.0.1:8000", f"127.0.0.1:{upstream}"),
    ):
        assert given in text
        text = text.replace(given, own)
    return text


def nginx(folder: Path, certificate: tuple[Path, Path], upstream: int, port: int) -> list[str]:
    server = here(recipe("nginx"), certificate, upstream)
    server = server.replace("listen 443 ssl", f"listen 127.0.0.1:{port} ssl")
    server = server.replace("tidegate.example.org", "localhost")
    temporary = "".join(
        f"{name}_temp_path {folder}/{name};\n"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    file = folder / "nginx.conf"
    file.write_text(
        f"daemon off;\npid {folder}/pid;\nerror_log stderr;\nevents {{}}\n"
        f"http {{\naccess_log off;\n{temporary}{server}}}\n"
    )
    return ["nginx", "-p", str(folder), "-e", "stderr", "-c", str(file)]


def caddy(folder: Path, certificate: tuple[Path, Path], upstream: int, port: int) -> list[str]:
    site = here(recipe("caddyfile"), certificate, upstream)
    site = site.replace("tidegate.example.org", f"https://localhost:{port}")
    file = folder / "Caddyfile"
    file.write_text("{\n    admin off\n    auto_https disable_redirects\n}\n" + site)
    return ["caddy", "run", "--adapter", "caddyfile", "--config", str(file)]


@contextmanager
def running(command: list[str], folder: Path, port: int) -> Iterator[None]:
    process = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=(folder / "proxy.log").open("wb"),
        env={"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin", "HOME": str(folder)},
    )
    try:
        for _ in range(300):
            assert process.poll() is None, (folder / "proxy.log").read_text()
            with socket.socket() as tried:
                if tried.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait(30)


@pytest.mark.parametrize("proxy", [nginx, caddy])
def test_a_person_signs_in_through_the_proxy_of_the_recipe(
    proxy: Callable[[Path, tuple[Path, Path], int, int], list[str]],
    home: Path,
    tmp_path: Path,
    certificate: tuple[Path, Path],
) -> None:
    if shutil.which(proxy.__name__, path="/usr/sbin:/usr/bin:/usr/local/bin") is None:
        pytest.skip(f"{proxy.__name__} is not installed")
    services = create_app(Settings(home=home), clock=utc_now).state.services
    services.accounts.add_account(
        new_account("maria", "a password for tests", "auditor", (), utc_now())
    )
    services.history.close()
    services.decisions.close()
    port = free_port()
    public = f"https://localhost:{port}"
    trusting = ssl.create_default_context(cafile=str(certificate[0]))
    with (
        serving(home, "--behind-proxy", public_address=public) as upstream,
        running(proxy(tmp_path, certificate, upstream, port), tmp_path, port),
        httpx2.Client(verify=trusting, base_url=public) as client,
    ):
        form = {"name": "maria", "password": "a password for tests"}
        entered = client.post("/console/sign-in", data=form, headers={"Origin": public})
        foreign = client.post(
            "/console/sign-in", data=form, headers={"Origin": "https://x.example"}
        )

        assert entered.status_code == 303, entered.text
        assert entered.headers["Set-Cookie"].startswith("__Host-tidegate=")
        assert "max-age" in entered.headers["Strict-Transport-Security"]
        assert foreign.status_code == 403
        assert client.get("/metrics").status_code == 401
        assert client.get("/console/oidc").status_code == 404
