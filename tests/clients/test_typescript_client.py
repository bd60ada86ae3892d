"""What openapi-typescript makes of the description compiles strictly, and a client over it works.

The generator and the compiler are locked in `typescript/package-lock.json`, and are not for those
who only run the tests of Python: where there is no npm, or nowhere to get them from, this is left
out.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from serving.api.examples import SHIPMENT
from tests.clients.conftest import Site

HERE = Path(__file__).parent / "typescript"
COMPILED = ("--strict", "--target", "es2022", "--lib", "es2022,dom", "--module", "commonjs")
MAX_S = 60  # npm waits for a registry for ever


def run(*command: str, within: Path, **environment: str) -> str:
    done = subprocess.run(
        command,
        cwd=within,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=MAX_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.skipif(not shutil.which("npm"), reason="there is no npm here")
def test_a_typescript_client_scores_batches_pages_and_reads_a_problem(
    site: Site, document: Any, tmp_path: Path
) -> None:
    for file in HERE.iterdir():
        shutil.copy(file, tmp_path)
    (tmp_path / "openapi.json").write_text(json.dumps(document))

    install = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries", "0")
    try:
        run(*install, within=tmp_path)
    except (AssertionError, subprocess.TimeoutExpired):
        pytest.skip("npm finds no packages here")
    binaries = tmp_path / "node_modules" / ".bin"
    run(str(binaries / "openapi-typescript"), "openapi.json", "-o", "api.d.ts", within=tmp_path)
    run(str(binaries / "tsc"), *COMPILED, "client.ts", within=tmp_path)
    told = json.loads(
        run(
            *("node", "client.js"),
            within=tmp_path,
            TIDEGATE_ADDRESS=site.address,
            TIDEGATE_KEY=site.key("score"),
            SHIPMENT=json.dumps(SHIPMENT["shipment"]),
        )
    )

    assert told["statuses"] == [200, 422]
    assert told["decision"] in told["listed"]
    assert len(told["listed"]) == 2
    assert told["problem"] == ["/shipment/hs_code"]
