"""Build, list and sign the artefacts of a release.

`python -m deploy.release build OUT` makes the wheels, the source archive, a CycloneDX bill of
materials for each lock, and `release.json`, reproducibly, from a clean commit. `sign OUT --key
FILE` and `verify OUT --public-key FILE` cover all of them. Signatures are Ed25519 over
`SHA256SUMS`; `openssl pkeyutl -verify -rawin` can check them too.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

SUMS, SIGNATURE, ABOUT = "SHA256SUMS", "SHA256SUMS.sig", "release.json"
CLIENT = Path("serving") / "client"
LOCKS = ("requirements.lock", "requirements-serve.lock", "requirements-train.lock")


class ReleaseRefused(Exception):
    """A release cannot be built or trusted; the message is the reason."""


def build_release(source: Path, out: Path) -> None:
    """Build all artefacts of a commit into a new or empty folder."""
    commit = _committed(source)
    out.mkdir(parents=True, exist_ok=True)
    if any(out.iterdir()):
        raise ReleaseRefused(f"{out} is not empty; name a new folder")
    # The commit's time instead of the current one makes builds reproducible.
    environment = {**os.environ, "SOURCE_DATE_EPOCH": _git(source, "log", "-1", "--format=%ct")}
    into = ("--directory", str(out.resolve()))
    _run(source, environment, "-m", "hatchling", "build", *into)
    _run(source / CLIENT, environment, "-m", "hatchling", "build", "--target", "wheel", *into)
    for lock in LOCKS:
        parts = out.resolve() / f"{Path(lock).stem}.cdx.json"
        _run(
            *(source, environment, "-m", "cyclonedx_py", "requirements", lock),
            *(
                "--output-reproducible",
                "--pyproject",
                "pyproject.toml",
                "--output-file",
                str(parts),
            ),
        )
    locks = {lock: _digest(source / lock) for lock in LOCKS}
    python = ".".join(map(str, sys.version_info[:3]))
    about = {"commit": commit, "locks_sha256": locks, "built_with_python": python}
    (out / ABOUT).write_text(json.dumps(about, indent=1) + "\n")
    (out / SUMS).write_text(_sums(out))


def sign_release(out: Path, key: Path, passphrase: bytes | None = None) -> None:
    """Sign the digests of all artefacts; raises ReleaseRefused if one was changed."""
    _require_sums(out)
    private = load_pem_private_key(key.read_bytes(), passphrase)
    if not isinstance(private, Ed25519PrivateKey):
        raise ReleaseRefused(f"{key} is no Ed25519 key")
    (out / SIGNATURE).write_bytes(private.sign((out / SUMS).read_bytes()))


def verify_release(out: Path, public_key: Path) -> None:
    """Raise ReleaseRefused unless the folder holds exactly the signed artefacts."""
    public = load_pem_public_key(public_key.read_bytes())
    if not isinstance(public, Ed25519PublicKey):
        raise ReleaseRefused(f"{public_key} is no Ed25519 key")
    # The signature first: digests in an unsigned list prove nothing.
    try:
        public.verify((out / SIGNATURE).read_bytes(), (out / SUMS).read_bytes())
    except FileNotFoundError as missing:
        raise ReleaseRefused(f"{missing.filename} is missing") from None
    except InvalidSignature:
        raise ReleaseRefused(f"{SUMS} was not signed by this key, or was changed") from None
    _require_sums(out)


def _require_sums(out: Path) -> None:
    stated = (out / SUMS).read_text()
    if stated != (found := _sums(out)):
        # Sets of lines, so that missing and additional files are listed too.
        apart = sorted(set(stated.splitlines()) ^ set(found.splitlines()))
        raise ReleaseRefused(f"not as it was built: {', '.join(line[66:] for line in apart)}")


def _sums(out: Path) -> str:
    """Return the digests in the format of `sha256sum --check`."""
    artefacts = sorted(file for file in out.iterdir() if file.name not in (SUMS, SIGNATURE))
    return "".join(f"{_digest(file)}  {file.name}\n" for file in artefacts)


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _committed(source: Path) -> str:
    if changed := _git(source, "status", "--porcelain"):
        raise ReleaseRefused(f"not committed: {changed.splitlines()[0]}")
    return _git(source, "rev-parse", "HEAD")


def _git(source: Path, *arguments: str) -> str:
    command = ["git", "-C", str(source), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603  # fixed words


def _run(source: Path, environment: dict[str, str], *arguments: str) -> None:
    command = [sys.executable, *arguments]
    done = subprocess.run(  # noqa: S603  # fixed words
        command, cwd=source, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise ReleaseRefused(f"{' '.join(arguments[:3])}: {done.stderr.strip()[-500:]}")


def main() -> None:
    """Build, sign or verify; exit 1 with the reason on stderr."""
    parser = argparse.ArgumentParser(description="The artefacts of a release.")
    acts = parser.add_subparsers(dest="act", required=True)
    for act in ("build", "sign", "verify"):
        acts.add_parser(act).add_argument("out", type=Path)
    acts.choices["sign"].add_argument("--key", type=Path, required=True)
    acts.choices["verify"].add_argument("--public-key", type=Path, required=True)
    given = parser.parse_args()
    try:
        if given.act == "build":
            build_release(Path.cwd(), given.out)
        elif given.act == "sign":
            passphrase = os.environ.get("RELEASE_KEY_PASSPHRASE")
            sign_release(given.out, given.key, passphrase.encode() if passphrase else None)
        else:
            verify_release(given.out, given.public_key)
    except (ReleaseRefused, OSError, ValueError) as refusal:
        print(f"release: {refusal}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
