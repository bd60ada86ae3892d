"""Verify one exported decision from its files alone: python3 -I -S verify_decision.py FOLDER

Needs only Python 3.9. It recomputes the decision, and follows it through the hash chain to a signed
checkpoint and a witness's copy. Compare the keys with the published ones.
"""

import argparse
import base64
import hashlib
import json
import math
import re
import sys
import zlib
from pathlib import Path


def require(holds, what):
    if not holds:
        raise ValueError(what)


def near(a, b):  # log-odds that are added up in another order
    return abs(a - b) <= 1e-9 * max(1.0, abs(a), abs(b))


def sha(content):
    return hashlib.sha256(content).hexdigest()


def spelled(stated):
    return json.dumps(stated, sort_keys=True, separators=(",", ":")).encode()


# Signatures: Ed25519 (RFC 8032)
Q, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, Q - 2, Q) % Q


def add(a, b):
    e, f = (a[1] - a[0]) * (b[1] - b[0]), (a[1] + a[0]) * (b[1] + b[0])
    g, h = 2 * a[3] * b[3] * D, 2 * a[2] * b[2]
    e, f, g, h = f - e, h - g, h + g, f + e
    return e * f % Q, g * h % Q, f * g % Q, e * h % Q


def times(number, point):
    result = (0, 1, 1, 0)
    while number:
        result = add(result, point) if number & 1 else result
        point, number = add(point, point), number >> 1
    return result


def point_of(content):
    y = int.from_bytes(content, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    square = (y * y - 1) * pow(D * y * y + 1, Q - 2, Q) % Q
    x = pow(square, (Q + 3) // 8, Q)
    x = x if (x * x - square) % Q == 0 else x * pow(2, (Q - 1) // 4, Q) % Q
    require(y < Q and (x * x - square) % Q == 0 and (x or not sign), "no point of the curve")
    x = Q - x if x & 1 != sign else x
    return x, y, 1, x * y % Q


def require_signed(content, signature, key, what):
    require(len(signature) == 64 and len(key) == 32, f"{what}: no signature or no key")
    scalar = int.from_bytes(signature[32:], "little")
    digest = hashlib.sha512(signature[:32] + key + content).digest()
    challenge = times(int.from_bytes(digest, "little") % L, point_of(key))
    base = point_of((4 * pow(5, Q - 2, Q) % Q).to_bytes(32, "little"))
    left, right = times(scalar, base), add(point_of(signature[:32]), challenge)
    same = all((left[i] * right[2] - right[i] * left[2]) % Q == 0 for i in (0, 1))
    require(scalar < L and same, f"{what} was not signed with the key that is named")


# Encryption: AES-256 in counter mode (FIPS 197); the content is compressed except in older exports
DOUBLE = [n << 1 ^ (0x11B if n & 128 else 0) for n in range(256)]
POWERS = [1]
while len(POWERS) < 255:
    POWERS.append(POWERS[-1] ^ DOUBLE[POWERS[-1]])
INVERSE = [0, *(POWERS[-POWERS.index(n) % 255] for n in range(1, 256))]
SBOX = [0x63 ^ n & 255 ^ n >> 8 for n in (n ^ n << 1 ^ n << 2 ^ n << 3 ^ n << 4 for n in INVERSE)]


def round_keys(key):
    words, constant = [list(key[n : n + 4]) for n in range(0, 32, 4)], 1
    for n in range(8, 60):
        word = words[-1]
        if n % 4 == 0:
            word = [SBOX[b] for b in (word[1:] + word[:1] if n % 8 == 0 else word)]
        if n % 8 == 0:
            word[0], constant = word[0] ^ constant, DOUBLE[constant]
        words.append([a ^ b for a, b in zip(words[-8], word)])
    return [sum(words[n : n + 4], []) for n in range(0, 60, 4)]


def aes(keys, block):
    s = [a ^ b for a, b in zip(block, keys[0])]
    for number, key in enumerate(keys[1:], 1):
        s = [SBOX[s[(n + 4 * (n % 4)) % 16]] for n in range(16)]
        if number < 14:
            columns = [(s[n : n + 4], s[n] ^ s[n + 1] ^ s[n + 2] ^ s[n + 3]) for n in (0, 4, 8, 12)]
            s = [c[m] ^ a ^ DOUBLE[c[m] ^ c[(m + 1) % 4]] for c, a in columns for m in range(4)]
        s = [a ^ b for a, b in zip(s, key)]
    return s


def decrypted(key, sealed):
    nonce, content, keys, out = sealed[:12], sealed[12:-16], round_keys(key), bytearray()
    for n in range(0, len(content), 16):
        stream = aes(keys, nonce + (n // 16 + 2).to_bytes(4, "big"))
        out += bytes(a ^ b for a, b in zip(content[n : n + 16], stream))
    return zlib.decompress(out) if out[:1] == b"\x78" else bytes(out)


# Trees: LightGBM's text, and exact Shapley values by the shares of training rows
def trees_of(text):
    for block in text.split("\nTree=")[1:]:
        pairs = (line.split("=", 1) for line in block.split("\n\n")[0].split("\n")[1:])
        tree = {key: value.split() for key, value in pairs}
        for key in "split_feature decision_type left_child right_child".split():
            tree[key] = [int(n) for n in tree[key]]
        for key in "threshold leaf_value leaf_count internal_count".split():
            tree[key] = [float(n) for n in tree[key]]
        tree["sets"] = [int(n) for n in tree.get("cat_boundaries", [])]
        tree["words"] = [int(n) for n in tree.get("cat_threshold", [])]
        yield tree


def goes_left(tree, node, value):
    kind, threshold = tree["decision_type"][node], tree["threshold"][node]
    if kind & 1:
        first, stop = tree["sets"][int(threshold) : int(threshold) + 2]
        words = tree["words"][first:stop]
        return -1 < value < 32 * len(words) and words[int(value) // 32] >> int(value) % 32 & 1
    is_zero = abs(value) <= 1.0000000180025095e-35
    if (math.isnan(value) and kind >> 2) or (is_zero and kind >> 2 == 1):
        return kind & 2
    return (0.0 if math.isnan(value) or is_zero else value) <= threshold


def leaves(tree, row, node, share, known):
    """Yield each leaf's value, its share of training rows, and by feature (share, agrees)."""
    if node < 0 or not tree["split_feature"]:
        yield tree["leaf_value"][~node if node < 0 else 0], share, known
        return
    feature = tree["split_feature"][node]
    is_left = bool(goes_left(tree, node, row[feature]))
    own, agrees = known.get(feature, (1.0, True))
    for side, goes_there in (("left_child", is_left), ("right_child", not is_left)):
        child = tree[side][node]
        count = tree["leaf_count"][~child] if child < 0 else tree["internal_count"][child]
        part = count / tree["internal_count"][node]
        below = {**known, feature: (own * part, agrees and goes_there)}
        yield from leaves(tree, row, child, share * part, below)


def explained(text, row):
    """Return the margin, the expected margin, and each feature's part in the difference."""
    margin, expected, parts = 0.0, 0.0, [0.0] * len(row)
    for tree in trees_of(text):
        for value, share, known in leaves(tree, row, 0, 1.0, {}):
            expected += value * share
            margin += value if all(agrees for _, agrees in known.values()) else 0.0
            for feature, (own, agrees) in known.items():
                ways = [1.0]  # what remains of the way to this leaf, by how many others are known
                for z, one in (pair for other, pair in known.items() if other != feature):
                    ways = [a * z + b * one for a, b in zip([*ways, 0.0], [0.0, *ways])]
                n = len(known)
                mean = sum(way / (n * math.comb(n - 1, k)) for k, way in enumerate(ways))
                parts[feature] += value * (agrees - own) * mean
    return margin, expected, parts


def check_score(manifest, text, record):
    require("sha256:" + sha(text) == manifest["files"]["booster.txt"], "other trees than signed")
    names, row = [feature["name"] for feature in manifest["features"]], []
    require(list(record["vector"]) == names, "the vector is of other features than the model")
    for feature, value in zip(manifest["features"], record["vector"].values()):
        codes = feature["categories"]
        if codes is not None and value is not None:
            value = codes.index(value) if value in codes else None
        row.append(math.nan if value is None else float(value))
    margin, expected, parts = explained(text.decode(), row)
    slope, intercept = manifest["calibration"]["slope"], manifest["calibration"]["intercept"]
    log_odds, score = slope * margin + intercept, record["score"]
    require(near(log_odds, score["log_odds"]), "the trees give another score")
    require(near(1 / (1 + math.exp(-log_odds)), score["probability"]), "another probability")
    require(near(slope * expected + intercept, score["base_log_odds"]), "another base")
    given = dict(zip(names, score["contributions"]))
    for name, part in zip(names, parts):
        require(near(slope * part, given[name]), f"another contribution of {name}")
    require(near(score["base_log_odds"] + math.fsum(given.values()), log_odds), "no sum")
    return given


def check_reasons(groups, record, parts):
    if (told := record["reasons"]) is None:  # they follow from the parts, which were checked
        return require(record["lane"] in ("release", "manual"), "no reasons for whoever acts")
    require([g["name"] for g in groups] == list(parts), "groups of other features")
    for kind, sums in (("indicator", told["indicators"]), ("family", told["families"])):
        require({g[kind] for g in groups} - {None} == set(sums), f"sums of another {kind}")
        for name, stated in sums.items():
            total = math.fsum(parts[g["name"]] for g in groups if g[kind] == name)
            require(near(total, stated), f"another sum of {kind} {name}")
    of, named, sums, left = {g["name"]: g for g in groups}, [], [], told["remainder"]["log_odds"]
    for reason in told["reasons"]:
        evidence = reason["evidence"]
        require({of[n]["indicator"] for n in evidence} == {reason["indicator"]}, "another sign")
        require(of[evidence[0]]["family"] == reason["family"], "a reason of another family")
        require(near(math.fsum(parts[n] for n in evidence), reason["log_odds"]), "a reason's sum")
        named, sums = named + evidence, [*sums, reason["log_odds"]]
    require(sorted([*sums, left], key=lambda s: -round(abs(s), 9)) == [*sums, left], "misranked")
    up, down = ([s for s in sums if s * sign > 0][:8] for sign in (1, -1))
    few = [s for at, s in enumerate(up) if s >= (0.02, 0.005)[at < 3]]  # three to check
    few += [s for s in down if s <= -0.02]
    more = abs(left + math.fsum(sums) - math.fsum(few)) + 1e-9  # what eight a side would leave out
    require(len(few) == len(sums) or more > min(map(abs, few)), "more reasons than need be")
    require(sorted(told["comparisons"]) == sorted(named), "comparisons of what is no evidence")
    require(near(sum(sums) + left + told["habits"]["log_odds"], sum(parts.values())), "no sum")


def check_lane(record, outline):
    require(outline["probability"] == (record["score"] or {}).get("probability"), "logged another")
    names = "decision_id lane lane_reason selection_probability office_id caller_id model unscored"
    for name in names.split():
        require(outline[name] == record[name], f"another {name} in the log than in the decision")
    lanes = record["lane_probabilities"]
    require(near(math.fsum(lanes.values()), 1) and record["lane"] in lanes, "lanes are not all")
    visited = math.fsum(lanes.get(lane, 0) for lane in ("rescue", "inspect", "control"))
    require(near(min(1, visited), record["selection_probability"]), "another selection")
    require("sha256:" + sha(record["request"].encode()) == record["request_digest"], "request")


def check_chain(decision, later, line, public):
    link, seq = bytes.fromhex(decision["before"]), decision["seq"] - 1
    for outline in [decision["outline"], *map(json.loads, later.splitlines())]:
        link, seq = hashlib.sha256(link + outline.encode()).digest(), seq + 1
    stated = json.loads(line)
    signature, key = bytes.fromhex(stated.pop("signature")), bytes.fromhex(public)
    require(stated["key_id"] == public[:16], "signed with another key than is enclosed")
    require(
        stated["heads"]["decisions"] == [seq, link.hex()],
        "the chain does not lead to the checkpoint",
    )
    require_signed(b"tidegate checkpoint\n" + spelled(stated), signature, key, "the checkpoint")
    return stated


def has_line(content, line):
    told = []
    for frame in re.finditer(rb"tidegate1 (\d+) ([0-9a-f]{64}) ", content):
        told.append(content[frame.end() : frame.end() + int(frame[1])])
        require(sha(told[-1]).encode() == frame[2], "a witness's line was changed")
    return line in told


def verify(folder, log_key=None, model_key=None, witness=None):
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    is_listed = files.pop("contents.json") == spelled({n: sha(c) for n, c in files.items()})
    require(is_listed, "a file is not as it was")
    decision, keys = json.loads(files["decision.json"]), json.loads(files["keys.json"])
    require(log_key in (None, keys["log"]), "the log's key is not the one that was published")
    require(model_key in (None, keys["model"]), "the model's key is not the one that was published")
    outline, sealed = json.loads(decision["outline"]), base64.b64decode(decision["encrypted"])
    require("sha256:" + sha(sealed) == outline["encrypted"], "the chain holds something else")
    content = decrypted(bytes.fromhex(decision["key"]), sealed)
    require(content == files["record.json"], "record.json is not what was logged")
    record, line = json.loads(content), files["checkpoint.json"]
    check_lane(record, outline)
    checkpoint = check_chain(decision, files["later.ndjson"].decode(), line, keys["log"])
    if record["model"]:
        manifest, public = files["manifest.json"], bytes.fromhex(keys["model"])
        require("sha256:" + sha(manifest) == record["model"]["digest"], "another model")
        require_signed(manifest, files["manifest.sig"], public, "the model")
        parts = check_score(json.loads(manifest), files["booster.txt"], record)
        check_reasons(json.loads(files["features.json"]), record, parts)
    has = has_line(Path(witness).read_bytes() if witness else files["witness.lines"], line)
    require(has or not witness, "the witness does not have this checkpoint")
    return record, checkpoint, keys, has


def main():
    parser = argparse.ArgumentParser()
    for name in ("folder", "--log-key", "--model-key", "--witness"):
        parser.add_argument(name, type=Path if name == "folder" else str)
    try:
        record, checkpoint, keys, has = verify(**vars(parser.parse_args()))
    except (OSError, ArithmeticError, LookupError, TypeError, ValueError, zlib.error) as why:
        sys.exit(f"REFUSED: {why!r}")
    score = record["score"] and record["score"]["probability"]
    print(f"VERIFIED: decision {record['decision_id']} of {record['scored_at']}, computed again:")
    print(f"probability {score}, lane {record['lane']} ({record['lane_reason']})")
    print(f"sealed on {checkpoint['signed_at']}; a witness has it: {'yes' if has else 'NO'}")
    print(f"compare these keys with those published: log {keys['log']}, model {keys['model']}")


if __name__ == "__main__":
    main()
