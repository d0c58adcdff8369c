#!/usr/bin/env python3
"""Makes `store_VERSION` beside it, what the chromadb that is installed writes, and prints what it answers of it.

  make.py > ../expected/chroma_VERSION.json

The stores of 0.4 are its. Records are added, changed and deleted, some before their vectors went to the folder and some after it.
"""

import json
import os
import random
import shutil
import sqlite3
import struct
import sys

import chromadb
import numpy as np
from chromadb.config import Settings

HERE = os.path.dirname(os.path.abspath(__file__))
KINDS = {"never_synced": ("l2", None), "l2_synced": ("l2", 10), "cosine_synced": ("cosine", 10)}


def metadata(number):
    return {"n": number, "half": number / 2, "text": "Straße %d" % number, "even": number % 2 == 0}


def fill(client, has_flags):
    def about(number):
        found = metadata(number)
        if not has_flags:
            del found["even"]
        return found

    given = {}
    for name, (space, threshold) in KINDS.items():
        vectors = given[name] = {}
        draw = random.Random(name)
        settings = {"hnsw:space": space, "topic": "tests"}
        if threshold:
            settings.update({"hnsw:batch_size": 3, "hnsw:sync_threshold": threshold})
        of = client.create_collection(name, metadata=settings, embedding_function=None)

        def vector(id):
            vectors[id] = [float(np.float32(draw.uniform(-1, 1))) for _ in range(4)]
            return vectors[id]

        for start in range(0, 30, 5):
            numbers = range(start, start + 5)
            ids = ["doc-%d" % n for n in numbers]
            of.add(ids=ids, embeddings=[vector(id) for id in ids],
                   metadatas=[about(n) for n in numbers], documents=["text of %d" % n for n in numbers])
        of.delete(ids=["doc-3", "doc-17", "doc-29"])
        of.update(ids=["doc-4"], embeddings=[vector("doc-4")], metadatas=[{"n": 400, "new": "yes"}], documents=["another text"])
        of.update(ids=["doc-5"], metadatas=[{"half": -0.5}])
        of.upsert(ids=["doc-6", "added"], embeddings=[vector("doc-6"), vector("added")], metadatas=[{"n": 6}, {"n": 1}])
        of.add(ids=["doc-3"], embeddings=[vector("doc-3")], documents=["back again"])
    return given


def scrub(folder):
    """Where the library wrote nothing, its files have what was in memory by chance."""
    tables = sqlite3.connect(os.path.join(folder, "chroma.sqlite3"))
    spaces = dict(tables.execute("select segment_id, str_value from segment_metadata where key = 'hnsw:space'"))
    tables.close()
    for name in os.listdir(folder):
        files = os.path.join(folder, name)
        if not os.path.isdir(files):
            continue
        if not os.path.exists(os.path.join(files, "index_metadata.pickle")):
            shutil.rmtree(files)
            continue
        with open(os.path.join(files, "header.bin"), "rb") as file:
            count, element = struct.unpack_from("<QQ", file.read(), 20)
        for file, used in [("data_level0.bin", count * element), ("length.bin", 4 * count if spaces.get(name) == "cosine" else 0)]:
            path = os.path.join(files, file)
            with open(path, "r+b") as file:
                file.seek(used)
                file.write(bytes(os.path.getsize(path) - used))


def content(client, given):
    """What the client answers, but for vectors, which are those that were given: 0.4.3 answers them beside the wrong ids."""
    found = []
    for name, (space, _) in sorted(KINDS.items()):
        of = client.get_collection(name, embedding_function=None)
        got = of.get(include=["metadatas", "documents"])
        rows = zip(got["ids"], got["metadatas"], got["documents"])
        found.append({"name": name, "metadata": of.metadata, "space": space, "rows": [
            {"id": id, "document": document, "metadata": about, "embedding": given[name][id]} for id, about, document in rows]})
    return found


def main():
    folder = os.path.join(HERE, "store_" + chromadb.__version__)
    shutil.rmtree(folder, ignore_errors=True)
    settings = Settings(anonymized_telemetry=False)
    client = chromadb.PersistentClient(path=folder, settings=settings)
    given = fill(client, has_flags=tuple(map(int, chromadb.__version__.split("."))) >= (0, 4, 15))
    print(json.dumps({"format": "chroma", "files": [{
        "file": "chroma/store_" + chromadb.__version__, "written_by": {"chromadb": chromadb.__version__},
        "collections": content(client, given)}]}, indent=1, ensure_ascii=False))
    getattr(client, "_system", client).stop()
    scrub(folder)


if __name__ == "__main__":
    sys.exit(main())
