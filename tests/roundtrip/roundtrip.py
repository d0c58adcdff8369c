#!/usr/bin/env python3
"""Does what `vdb` exports mean the same to the real qdrant-client?

  roundtrip.py VDB

VDB is the built command. Backups of `tests/data/interop`, and collections that the client makes here, are imported and
exported again; the client loads both sides, and compares. Ends with `N passed, M failed`, and fails when any did. Needs
what `requirements.txt` pins.
"""

import glob
import json
import math
import os
import pickle
import shutil
import sys
import tempfile
import uuid
import warnings

from qdrant_client import QdrantClient, models

from checks import Checks, vdb

warnings.simplefilter("ignore")
DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "data", "interop")
# A stored cosine vector is normalised once more when it is restored, which moves it by so much.
NEAR = 1.2e-7


def load(path):
    with open(path, "rb") as file:
        return pickle.load(file)


def settings(params):
    """What of the parameters of vectors is kept. Objects of old clients lack fields that came later."""
    named = params if isinstance(params, dict) else {} if params is None else {"": params}
    return {name: [getattr(one, key, None) for key in ("size", "distance", "datatype", "modifier")]
            + [getattr(getattr(one, "multivector_config", None), "comparator", None)] for name, one in named.items()}


def nearness(params):
    """How far stored numbers may be from those that were given: half precision rounds them."""
    return 1e-3 if any(models.Datatype.FLOAT16 in one for one in settings(params).values()) else NEAR


def exact(a, b):
    """Equal with types: 2 is not 2.0, True is not 1."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return list(a) == list(b) and all(exact(a[key], b[key]) for key in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(exact, a, b))
    return a == b and (not isinstance(a, float) or math.copysign(1, a) == math.copysign(1, b))


def change(a, b):
    """The greatest difference of two vectors of any kind; infinite when they are of different shapes."""
    if isinstance(a, dict):
        return max([change(a[name], b[name]) for name in a] or [0.0]) if set(a) == set(b) else math.inf
    if hasattr(a, "indices"):
        order = sorted(zip(a.indices, a.values))
        same = hasattr(b, "indices") and [index for index, _ in order] == list(b.indices)
        return change([value for _, value in order], list(b.values)) if same else math.inf
    if isinstance(a, list):
        return max([change(x, y) for x, y in zip(a, b)] or [0.0]) if isinstance(b, list) and len(a) == len(b) else math.inf
    return abs(a - b) / max(1.0, abs(a))


def named(vector):
    return vector if isinstance(vector, dict) or vector is None else {"": vector}


def canonical(name):
    return str(uuid.UUID(name)) if isinstance(name, str) else name


def compare(count, what, before, after, near):
    """Two lists of points; their vectors only where `near` says how near they must be."""
    # Clients before 1.20 keep the spelling of a UUID that they were given.
    before = sorted(before, key=lambda point: (isinstance(point.id, str), canonical(point.id)))
    count.check([canonical(point.id) for point in before] == [point.id for point in after], what + ": ids and their order")
    for a, b in zip(before, after):
        count.check(exact(a.payload or {}, b.payload or {}), "%s: payload of %r" % (what, a.id))
        if near and a.vector is not None:
            moved = change(named(a.vector), named(b.vector))
            count.check(moved <= near, "%s: vector of %r moved by %s" % (what, a.id, moved))


def backups(count, command, folder):
    """Backups of every version, there and back."""
    for path in sorted(glob.glob(os.path.join(DATA, "backup", "**", "*.backup"), recursive=True)):
        what = os.path.relpath(path, DATA)
        if any(part in what for part in ("hostile", "damaged", "payload_numbers", "payload_strings")):
            continue
        name, db = os.path.basename(path)[:-len(".backup")], os.path.join(folder, "db%d" % count.good)
        exported = os.path.join(folder, "%s-%d.backup" % (name, count.good))
        try:
            vdb(command, "import", path, db, "--no-index", "--quiet")
            vdb(command, "export", db, name, exported, "--format", "backup")
        except RuntimeError as error:
            count.check(False, "%s: %s" % (what, error))
            continue
        before, after = load(path), load(exported)
        count.check(list(after) == ["points", "collection_info"], what + ": keys in this order")
        info = after["collection_info"]
        count.check(isinstance(info, models.CollectionInfo), what + ": class of collection_info")
        count.check(info.points_count == len(after["points"]), what + ": points_count")
        count.check(all(type(point) is models.Record for point in after["points"]), what + ": classes of points")
        count.check(repr(after["points"]) and all(point.model_dump() for point in after["points"]), what + ": models")
        count.check(info.model_dump() is not None, what + ": model of collection_info")
        was, now = before["collection_info"].config.params, info.config.params
        count.check(settings(was.vectors) == settings(now.vectors), what + ": vectors")
        count.check(settings(was.sparse_vectors) == settings(now.sparse_vectors), what + ": sparse vectors")
        compare(count, what, before["points"], after["points"], nearness(was.vectors))
        restore(count, what, after, command, exported)


def restore(count, what, saved, command, file):
    """As a program restores a backup, and saves it again, which comes back the same."""
    params = saved["collection_info"].config.params
    if not all(point.vector for point in saved["points"]):
        return
    client = QdrantClient(":memory:")
    client.create_collection("c", vectors_config=params.vectors, sparse_vectors_config=params.sparse_vectors)
    if saved["points"]:
        client.upsert("c", points=[models.PointStruct(id=p.id, vector=p.vector, payload=p.payload) for p in saved["points"]])
    found = client.scroll("c", limit=20000, with_vectors=True)[0]
    compare(count, what + " restored", saved["points"], found, nearness(params.vectors))
    again = {"points": found, "collection_info": client.get_collection("c")}
    client.close()
    try:
        with open(file + "-again.backup", "wb") as out:
            pickle.dump(again, out)
        vdb(command, "import", file + "-again.backup", file + "-db", "--collection", "c", "--no-index", "--quiet")
        vdb(command, "export", file + "-db", "c", file + "-back.backup", "--format", "backup")
    except RuntimeError as error:
        count.check(False, "%s again: %s" % (what, error))
        return
    back = load(file + "-back.backup")
    compare(count, what + " back", saved["points"], back["points"], nearness(params.vectors))
    count.check(settings(back["collection_info"].config.params.vectors) == settings(params.vectors), what + " back: vectors")


def servers(count, command, folder):
    """A backup of a collection of a server, of which more is told than of one in memory."""
    path = os.path.join(DATA, "objects", "server.backup")
    before = load(path)
    try:
        told = json.loads(vdb(command, "import", path, "server", "--json", folder=folder))
        vdb(command, "export", "server", "server", "again.backup", "--format", "backup", folder=folder)
    except RuntimeError as error:
        count.check(False, "a server's: %s" % error)
        return
    warnings = " ".join(told["collections"][0]["warnings"])
    count.check("3 points have a shard key" in warnings, "a server's: shard keys in %r" % warnings)
    after = load(os.path.join(folder, "again.backup"))
    compare(count, "a server's", before["points"], after["points"], NEAR)
    found = after["collection_info"]
    kinds = {path: one.data_type for path, one in found.payload_schema.items()}
    expected = {path: one.data_type for path, one in before["collection_info"].payload_schema.items()}
    count.check(kinds == expected, "a server's: indexes %r" % kinds)
    kept = found.payload_schema["text"].params
    count.check((kept.tokenizer, kept.min_token_len, kept.lowercase) == (models.TokenizerType.WORD, 2, True), "a server's: texts")
    strict = found.config.strict_mode_config
    count.check((strict.enabled, strict.upsert_max_batchsize, strict.max_query_limit) == (True, 1, 2), "a server's: strict mode")


def directories(count, command, folder):

    """Directories of the local mode, made here and those of other versions."""
    made = os.path.join(folder, "made")
    client = QdrantClient(path=made)
    client.create_collection("posts", models.VectorParams(size=3, distance=models.Distance.DOT))
    points = [models.PointStruct(id=n, vector=[n, n / 3, -1.5], payload={"n": n, "half": n / 2, "tags": ["a", None, True]})
              for n in range(2500)]
    client.upsert("posts", points)
    client.delete("posts", [0, 7, 2499])
    client.set_payload("posts", {"set": {"later": "ü"}}, [1, 2])
    client.close()
    for path in [made] + sorted(glob.glob(os.path.join(DATA, "qdrant_local", "*"))):
        what = os.path.basename(path)
        copy = os.path.join(folder, "copy-" + what)
        shutil.copytree(path, copy)
        client = QdrantClient(path=copy)
        names = sorted(one.name for one in client.get_collections().collections)
        for name in names:
            if name in ("payload_numbers", "payload_strings"):
                continue
            db, exported = os.path.join(folder, "db-%s-%s" % (what, name)), os.path.join(folder, "%s-%s.backup" % (what, name))
            try:
                vdb(command, "import", path, db, "--collection", name, "--no-index", "--quiet")
                vdb(command, "export", db, name, exported, "--format", "backup")
            except RuntimeError as error:
                count.check(False, "%s/%s: %s" % (what, name, error))
                continue
            after = load(exported)["points"]
            before = client.scroll(name, limit=20000, with_vectors=True)[0]
            # The client answers what was stored, which under cosine distance may be of any length; ours is of length 1.
            params = client.get_collection(name).config.params.vectors
            is_cosine = any(models.Distance.COSINE in one for one in settings(params).values())
            compare(count, "%s/%s" % (what, name), before, after, None if is_cosine else nearness(params))
        client.close()


def main():
    command = os.path.abspath(sys.argv[1])
    count = Checks()
    with tempfile.TemporaryDirectory() as folder:
        backups(count, command, folder)
        servers(count, command, folder)
        directories(count, command, folder)
    print("%d passed, %d failed" % (count.good, count.bad))
    sys.exit(1 if count.bad or not count.good else 0)


if __name__ == "__main__":
    main()
