"""One exported decision is verified with Python alone, and nothing of it can be changed."""

import base64
import functools
import hashlib
import importlib.util
import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from features.catalogue import SHIPMENT
from features.errors import TidegateError
from features.home_keys import LOG, fresh_key, private_key, public_file_of, public_half
from serving.audit.decision_export import canonical_groups, model_key
from serving.cli.main import app as commands
from serving.crypto.encryption import encrypt
from serving.explanation.comparison import Comparison
from serving.explanation.formatting import Value
from serving.explanation.reason_ranking import ReasonRanking, judge
from serving.integrity.checkpoints import Checkpoint
from serving.integrity.hash_chain import LogHead
from serving.integrity.witness_lines import framed
from tests.counts import count
from tests.serving.bodies import route, shipment
from tests.serving.conftest import Service

SCRIPT = Path(__file__).parents[3] / "deploy" / "verify" / "verify_decision.py"


@pytest.fixture
def decided(service: Service) -> list[str]:
    """The ids of some decisions, of both kinds."""
    caller = service.key("score", "explain")
    bodies = [route(), *(shipment(shipment_id=f"S-{n}") for n in range(4))]
    answers = [service.score(body, caller) for body in bodies]
    return [answer.json()["decision_id"] for answer in answers]


def export(service: Service, decision_id: str, out: Path) -> Any:
    words = ["export", "decision", decision_id, "--out", str(out), "--home", str(service.home)]
    return CliRunner().invoke(commands, words)


@pytest.fixture
def bundle(
    service: Service, decided: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """An export with the line of a witness apart from the home."""
    out = tmp_path / "export"
    named = f"{service.home}/checkpoints.ndjson;{tmp_path}/apart.lines"
    monkeypatch.setenv("TIDEGATE_WITNESS", named)
    done = export(service, decided[2], out)
    assert done.exit_code == 0, done.output
    return out


@pytest.fixture(scope="module")
def verifier() -> ModuleType:
    """The script as a module, which decrypts the same bytes once."""
    spec = importlib.util.spec_from_file_location("verify_decision", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.decrypted = functools.cache(module.decrypted)  # type: ignore[attr-defined]  # a module
    return module


def run(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    words = [sys.executable, "-I", "-S", str(SCRIPT), str(folder), *arguments]
    return subprocess.run(words, capture_output=True, text=True, check=False, env={})


def is_refused(verifier: ModuleType, folder: Path, **given: str) -> bool:
    try:
        verifier.verify(folder, **given)
    except (OSError, ArithmeticError, LookupError, TypeError, ValueError):
        return True
    return False


def remade(folder: Path) -> None:
    """Name the digests of the files as they are now, as whoever changes them would."""
    files = {f.name: f.read_bytes() for f in folder.iterdir() if f.name != "contents.json"}
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    contents = json.dumps(digests, sort_keys=True, separators=(",", ":"))
    (folder / "contents.json").write_text(contents)


def test_every_decision_of_either_kind_is_verified_with_python_alone(
    service: Service, decided: list[str], tmp_path: Path
) -> None:
    for number, decision_id in enumerate(decided[:2]):
        out = tmp_path / str(number)
        assert export(service, decision_id, out).exit_code == 0

        done = run(out, "--witness", str(service.home / "checkpoints.ndjson"))

        assert (done.returncode, done.stderr) == (0, "")
        assert f"VERIFIED: decision {decision_id}" in done.stdout
        assert "a witness has it: yes" in done.stdout


def test_a_file_of_the_home_is_no_witness_and_one_apart_is(
    service: Service, decided: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, apart = tmp_path / "alone", tmp_path / "apart.lines"
    assert export(service, decided[0], out).exit_code == 0
    assert "a witness has it: NO" in run(out).stdout

    named = f"{service.home}/keys/../checkpoints.ndjson;{apart}"
    monkeypatch.setenv("TIDEGATE_WITNESS", named)
    assert export(service, decided[0], tmp_path / "witnessed").exit_code == 0

    assert "a witness has it: yes" in run(tmp_path / "witnessed").stdout
    assert len((tmp_path / "witnessed" / "witness.lines").read_bytes().splitlines()) == 1


@given(
    st.lists(
        st.tuples(st.sampled_from([None, 0.0, 1.0]), st.floats(-3, 3)),
        min_size=len(SHIPMENT),
        max_size=len(SHIPMENT),
    )
)
def test_whatever_reasons_a_decision_has_they_are_verified(
    verifier: ModuleType, given: list[tuple[Value, float]]
) -> None:
    """Evidence of one reason comes from several families of features."""
    values, log_odds = zip(*given, strict=True)
    parts = dict(zip((feature.name for feature in SHIPMENT), log_odds, strict=True))
    reasons = ReasonRanking(SHIPMENT).reasons(
        values, log_odds, functools.partial(judge, lambda *_: Comparison(how="same", share=0.4))
    )
    record = {"vector": parts, "reasons": reasons.model_dump(mode="json"), "lane": "inspect"}

    verifier.check_reasons(json.loads(canonical_groups(record)), record, parts)


def test_the_script_is_short_and_needs_nothing_but_python() -> None:
    text = SCRIPT.read_text()
    imports = {line.split()[1] for line in text.splitlines() if line.startswith(("import", "from"))}

    assert len(text.splitlines()) <= 300
    assert imports <= set(sys.stdlib_module_names)


def test_a_release_whose_reasons_nobody_read_is_verified(service: Service, tmp_path: Path) -> None:
    answer = service.score(shipment(), service.key("score")).json()
    out = tmp_path / "export"
    assert export(service, answer["decision_id"], out).exit_code == 0

    assert json.loads((out / "record.json").read_bytes())["reasons"] is None
    assert run(out).returncode == 0


def test_a_decision_without_a_score_is_verified(service: Service, tmp_path: Path) -> None:
    service.services.models._loaded.clear()
    answer = service.score(shipment(shipment_id="S-none"), service.key("score"))
    out = tmp_path / "export"
    assert export(service, answer.json()["decision_id"], out).exit_code == 0

    assert run(out).returncode == 0


def test_the_export_is_on_record_and_unknown_ones_are_refused(
    service: Service, bundle: Path, decided: list[str]
) -> None:
    engine = service.services.decisions._engine
    with engine.connect() as connection:
        row = connection.exec_driver_sql(
            "SELECT action, object_kind, object_id, actor FROM audit_events"
            " WHERE action = 'export_decision'"
        ).one()

    assert row[:3] == ("export_decision", "decision", decided[2])
    assert row.actor.startswith("cli:")
    again = export(service, decided[2], bundle)
    assert isinstance(again.exception, Exception)
    assert "has its own folder" in str(again.exception)
    unknown = export(service, "none", bundle.parent / "none")
    assert "there is no decision none" in str(unknown.exception)
    assert not (bundle.parent / "none").exists()


def test_keys_and_witness_are_held_to_those_that_were_published(
    service: Service, bundle: Path, tmp_path: Path
) -> None:
    keys = json.loads((bundle / "keys.json").read_text())
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(framed("{}"))

    assert run(bundle, "--log-key", keys["log"], "--model-key", keys["model"]).returncode == 0
    assert run(bundle, "--log-key", "00" * 32).returncode == 1
    assert run(bundle, "--model-key", "00" * 32).returncode == 1
    assert "does not have this checkpoint" in run(bundle, "--witness", str(elsewhere)).stderr


def test_a_model_is_verified_by_the_key_that_signed_it_after_a_rotation(
    service: Service, decided: list[str], tmp_path: Path
) -> None:
    folder = service.home / "keys"
    former = public_half("signing", (folder / "signing.pem").read_bytes())
    rotated = CliRunner().invoke(commands, ["rotate-key", "signing", "--home", str(service.home)])
    assert rotated.exit_code == 0, rotated.output
    fresh = public_half("signing", (folder / "signing.pem").read_bytes())
    out = tmp_path / "export"
    assert export(service, decided[0], out).exit_code == 0

    assert run(out, "--model-key", former).returncode == 0
    assert run(out, "--model-key", fresh).returncode == 1
    model = {name: (out / name).read_bytes() for name in ("manifest.json", "manifest.sig")}
    (tmp_path / "signing.pub").write_bytes(public_file_of("signing", fresh_key("signing")))
    with pytest.raises(TidegateError, match=r"no key of signing\.pub signed the model"):
        model_key(tmp_path / "signing.pub", model)


@pytest.mark.faults
def test_no_changed_byte_of_any_file_passes(
    bundle: Path, verifier: ModuleType, tmp_path: Path
) -> None:
    lots, changed = random.Random(3), tmp_path / "changed"
    files = sorted(bundle.iterdir())
    assert not is_refused(verifier, bundle)
    for number in range(count(200, 2_000)):
        shutil.rmtree(changed, ignore_errors=True)
        shutil.copytree(bundle, changed)
        file = changed / files[number % len(files)].name
        content = bytearray(file.read_bytes())
        at = lots.randrange(len(content))
        content[at] ^= 1 << lots.randrange(8)
        file.write_bytes(bytes(content))

        assert is_refused(verifier, changed), (file.name, at)


@pytest.mark.faults
def test_no_changed_field_passes_though_its_digest_is_made_anew(
    bundle: Path, verifier: ModuleType, tmp_path: Path
) -> None:
    lots, changed = random.Random(5), tmp_path / "changed"
    names = ("decision.json", "record.json", "checkpoint.json", "keys.json", "manifest.json")
    for number in range(count(100, 1_000)):
        shutil.rmtree(changed, ignore_errors=True)
        shutil.copytree(bundle, changed)
        name = names[number % len(names)]
        stated = json.loads((changed / name).read_text())
        where = change_a_leaf(stated, lots)
        (changed / name).write_text(json.dumps(stated, separators=(",", ":")))
        remade(changed)

        assert is_refused(verifier, changed), (name, where)


def change_a_leaf(stated: Any, lots: random.Random) -> str:
    """Change one value somewhere inside; where."""
    places: list[tuple[Any, Any, str]] = []

    def look(inside: Any, where: str) -> None:
        items = inside.items() if isinstance(inside, dict) else enumerate(inside)
        for key, value in items:
            if isinstance(value, dict | list):
                look(value, f"{where}/{key}")
            else:
                places.append((inside, key, f"{where}/{key}"))

    look(stated, "")
    inside, key, where = lots.choice(places)
    value = inside[key]
    if isinstance(value, str):
        inside[key] = value[:-1] + ("0" if value[-1:] != "0" else "1")
    else:
        inside[key] = 1 if value is None or value is False else (value or 0.5) * 3
    return where


def resigned(bundle: Path, service: Service, change: Callable[[dict[str, Any]], None]) -> None:
    """Forge a decision with all keys of the home: encrypt, chain and sign it anew."""
    record = json.loads((bundle / "record.json").read_text())
    change(record)
    decision = json.loads((bundle / "decision.json").read_text())
    content = json.dumps(record).encode()
    sealed = encrypt(bytes.fromhex(decision["key"]), "record", content)
    digest = f"sha256:{hashlib.sha256(sealed).hexdigest()}"
    told = json.loads(decision["outline"]) | {"encrypted": digest, "lane": record["lane"]}
    told["probability"] = record["score"]["probability"]
    told["selection_probability"] = record["selection_probability"]
    outline = json.dumps(told)
    decision |= {"encrypted": base64.b64encode(sealed).decode(), "outline": outline}
    later = map(json.loads, (bundle / "later.ndjson").read_text().splitlines())
    link = bytes.fromhex(decision["before"])
    for each in [outline, *later]:
        link = hashlib.sha256(link + each.encode()).digest()
    former = Checkpoint.from_json((bundle / "checkpoint.json").read_text())
    heads = dict(former.heads) | {"decisions": LogHead(former.size, link.hex())}
    signer = private_key(service.home / "keys", LOG)
    forged = Checkpoint(**(vars(former) | {"heads": heads})).signed(signer)
    (bundle / "record.json").write_bytes(content)
    (bundle / "decision.json").write_text(json.dumps(decision))
    (bundle / "checkpoint.json").write_text(forged.as_json())
    (bundle / "witness.lines").write_bytes(framed(forged.as_json()))
    remade(bundle)


def test_what_an_older_release_encrypted_as_it_was_is_verified_too(
    bundle: Path, service: Service, verifier: ModuleType
) -> None:
    as_logged = base64.b64decode(json.loads((bundle / "decision.json").read_text())["encrypted"])
    resigned(bundle, service, lambda record: None)
    as_it_was = base64.b64decode(json.loads((bundle / "decision.json").read_text())["encrypted"])

    verifier.verify(bundle)
    assert len(as_logged) < len(as_it_was) / 2


FORGERIES: dict[str, Callable[[dict[str, Any]], None]] = {
    "probability": lambda record: record["score"].update(probability=0.999),
    "log_odds": lambda record: record["score"].update(log_odds=5.0),
    "base": lambda record: record["score"].update(base_log_odds=0.0),
    "contributions": lambda record: record["score"]["contributions"].reverse(),
    "vector": lambda record: record["vector"].update(gross_mass_kg=1.0),
    "reasons": lambda record: record["reasons"]["indicators"].update(D07=0.5),
    "remainder": lambda record: record["reasons"]["remainder"].update(log_odds=0.5),
    "no reasons": lambda record: record.update(lane="inspect", reasons=None),
    "lanes": lambda record: record["lane_probabilities"].update(release=0.5),
    "selection": lambda record: record.update(selection_probability=0.5),
}


@pytest.mark.parametrize("what", FORGERIES)
def test_a_forgery_with_all_keys_of_the_home_is_refused_where_it_can_be_computed(
    what: str, bundle: Path, service: Service, verifier: ModuleType
) -> None:
    resigned(bundle, service, lambda record: None)
    assert not is_refused(verifier, bundle)

    resigned(bundle, service, FORGERIES[what])

    assert is_refused(verifier, bundle)


def test_a_forgery_of_what_cannot_be_computed_is_refused_by_an_outside_witness(
    bundle: Path, service: Service, verifier: ModuleType
) -> None:
    outside = service.home / "checkpoints.ndjson"
    resigned(bundle, service, lambda record: record.update(caller_name="another"))

    assert not is_refused(verifier, bundle)
    assert is_refused(verifier, bundle, witness=os.fspath(outside))
