#!/usr/bin/env python3
"""Does a program with an older qdrant-client restore what `vdb` exports?

  older.py VDB

Backups of `tests/data/interop` are imported and exported again, loaded with plain `pickle.load`, and restored as programs do it. Run it with
the client to be asked first in PYTHONPATH. Ends with `N passed, M failed`, and fails when any did.
"""

import os
import pickle
import subprocess
import sys
import tempfile
import warnings

from qdrant_client import QdrantClient

warnings.simplefilter("ignore")
DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "data", "interop", "backup")
NEAR = 1.2e-7


def plain(vector):
    return vector if isinstance(vector, dict) else {"": vector}


def same(before, after):
    if before.id != after.id or before.payload != after.payload or set(plain(before.vector)) != set(plain(after.vector)):
        return False
    for name, numbers in plain(before.vector).items():
        found = plain(after.vector)[name]
        if len(found) != len(numbers) or any(abs(a - b) > NEAR * max(1.0, abs(a)) for a, b in zip(numbers, found)):
            return False
    return True


def main():
    command = os.path.abspath(sys.argv[1])
    good = bad = 0
    # Clients before 1.10 have no multivectors, and none restores sparse vectors with the parameters of vectors alone.
    for name in ["unnamed_cosine8", "uuid_ids", "named_two", "distances", "shared_params", "one_point", "empty"]:
        with tempfile.TemporaryDirectory() as folder:
            for arguments in [["import", os.path.join(DATA, name + ".backup"), "db", "--no-index", "--quiet"],
                              ["export", "db", name, "out.backup", "--format", "backup", "--quiet"]]:
                subprocess.run([command, *arguments], cwd=folder, check=True, stdout=subprocess.DEVNULL)
            with open(os.path.join(folder, "out.backup"), "rb") as file:
                saved = pickle.load(file)
        points, info = saved["points"], saved["collection_info"]
        client = QdrantClient(":memory:")
        client.create_collection(collection_name=name, vectors_config=info.config.params.vectors)
        if points:
            client.upsert(collection_name=name, points=points)
        found = client.scroll(name, limit=20000, with_vectors=True)[0]
        client.close()
        is_same = info.points_count == len(points) == len(found) and all(map(same, points, found))
        good, bad = good + is_same, bad + (not is_same)
        if not is_same:
            print("FAILED:", name)
    print("%d passed, %d failed" % (good, bad))
    sys.exit(1 if bad or not good else 0)


if __name__ == "__main__":
    main()
