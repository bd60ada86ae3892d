"""Damaged model folders, on the way that a service loads them: from manifest to golden vectors.

Half of the folders are sealed again after the damage, so that neither signature nor digests tell.
"""

import json
import random
import re
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from features.errors import TidegateError
from features.home_keys import public_pem
from serving.models.model_pool import LoadedModel
from tests.counts import count
from tests.faults.damages import TO_ANY_TEXT, TO_TREES, Damage, resized
from training.model.model_home import ModelHome
from training.model.risk_model import BOOSTER, FILES, MANIFEST, SIGNATURE, RiskModel, sha256

MUTANTS = count(2, 63)
"""Of each damage to each file, of 32 such; half of them are sealed again."""

FILE = rf"({'|'.join(map(re.escape, (*FILES, MANIFEST, SIGNATURE)))})"
PLACE = rf"{FILE}(, (tree \d+, )?line \d+)?: ."
WHOLE = rf"{FILE} (does not have the digest that {MANIFEST} names|is not the signature of)"


def with_sizes_that_fit(damage: Damage, text: str, lots: random.Random) -> str:
    return resized(damage(text, lots))


DAMAGES = [
    *((BOOSTER, damage.__name__, damage) for damage in TO_TREES),
    *((BOOSTER, f"{d.__name__} resized", partial(with_sizes_that_fit, d)) for d in TO_TREES),
    *((name, d.__name__, d) for name in (*FILES[1:], MANIFEST, SIGNATURE) for d in TO_ANY_TEXT),
]


def damaged(folder: Path, name: str, damage: Damage, lots: random.Random) -> bool:
    """Damage one file; tells whether that changed it."""
    before = (folder / name).read_bytes()
    # Latin-1 has a character for every byte.
    after = damage(before.decode("latin-1"), lots).encode("latin-1")
    (folder / name).write_bytes(after)
    return after != before


def seal(folder: Path, name: str, key: Ed25519PrivateKey) -> None:
    """Let digests and signature fit the damaged file, as the owner of the key could."""
    content = (folder / MANIFEST).read_bytes()
    if name in FILES:
        manifest = json.loads(content)
        manifest["files"][name] = sha256((folder / name).read_bytes())
        content = json.dumps(manifest).encode()
    (folder / MANIFEST).write_bytes(content)
    (folder / SIGNATURE).write_bytes(key.sign(content))


def answers(champion: LoadedModel) -> tuple[np.ndarray, np.ndarray]:
    golden = champion.model.manifest.golden
    vectors = (dict(zip(champion.model.encoding.names, g.values, strict=True)) for g in golden)
    scores = champion.scorer.score(np.stack([champion.model.encode(v)[0] for v in vectors]))
    return scores.log_odds, scores.contributions


def read_or_refused(folder: Path, key: Ed25519PrivateKey) -> LoadedModel | None:
    try:
        return LoadedModel.read(folder, public_pem(key.public_key()))
    except TidegateError as refusal:
        if not re.search(f"{PLACE}|{WHOLE}", str(refusal)):
            pytest.fail(f"neither file nor place is named: {refusal}")
        return None


def _told(part: object) -> str:
    """A damage is named by `what`; how it is done has no name that two processes share."""
    return part if isinstance(part, str) else "damage"


@pytest.mark.faults
@pytest.mark.parametrize(("name", "what", "damage"), DAMAGES, ids=_told)
def test_a_damaged_folder_is_refused_by_file_and_place_or_answers_as_it_says(
    trained_home: Path, tmp_path: Path, name: str, what: str, damage: Damage
) -> None:
    key = ModelHome(trained_home).signing_key
    whole = RiskModel.read(
        trained_home / "models" / "tidegate-shipment" / "1", public_pem(key.public_key())
    )
    lots = random.Random(f"{name} {what}")
    for mutant in range(MUTANTS):
        folder = tmp_path / f"{mutant}"
        whole.write(folder, key)
        if not damaged(folder, name, damage, lots):
            continue
        is_sealed = mutant % 2 == 1 and name != SIGNATURE
        if is_sealed:
            seal(folder, name, key)
        champion = read_or_refused(folder, key)
        if champion is None:
            continue
        assert is_sealed, "a damage went unseen although it was not sealed"
        golden = champion.model.manifest.golden
        log_odds, contributions = answers(champion)
        assert np.abs(log_odds - [g.log_odds for g in golden]).max() <= 1e-9
        assert np.abs(contributions - [g.contributions for g in golden]).max() <= 1e-9


def test_trees_over_features_of_other_names_are_refused_by_name(
    trained_home: Path, tmp_path: Path
) -> None:
    key = ModelHome(trained_home).signing_key
    whole = RiskModel.read(
        trained_home / "models" / "tidegate-shipment" / "1", public_pem(key.public_key())
    )
    one, other = whole.encoding.names[:2]
    whole.write(tmp_path / "1", key)
    swapped = whole.booster_text.replace(f"={one} {other} ", f"={other} {one} ", 1)
    (tmp_path / "1" / BOOSTER).write_text(swapped)
    seal(tmp_path / "1", BOOSTER, key)

    with pytest.raises(TidegateError, match=f"feature 1 is '{other}', but '{one}'"):
        LoadedModel.read(tmp_path / "1", public_pem(key.public_key()))
