#!/usr/bin/env python3
"""Do FAISS, pyarrow, NumPy and Chroma read what `vdb` exports, and `vdb` what they write?

  formats.py VDB

VDB is the command, built with `--features full`. A collection goes out in every format and comes back, by way of the real libraries, and
must be the same: its lines of JSON are compared, byte by byte. Ends with `N passed, M failed`, and fails when any did. Needs what
`formats-requirements.txt` and `chroma-requirements.txt` pin.
"""

import datetime as dt
import decimal
import json
import os
import pickle
import random
import sys
import tempfile
import uuid

import chromadb
import faiss
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from checks import Checks, vdb


class Run(Checks):
    def __init__(self, command, folder):
        super().__init__()
        self.command, self.folder = command, folder

    def vdb(self, *arguments):
        return vdb(self.command, *arguments, folder=self.folder)

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def write(self, name, rows):
        with open(self.path(name), "w", encoding="utf-8") as file:
            for row in rows:
                file.write(json.dumps(row, ensure_ascii=False) + "\n")

    def lines(self, db, collection):
        """A collection as text."""
        out = "%s-%s-%d.jsonl" % (db, collection, self.good + self.bad)
        self.vdb("export", db, collection, out, "--format", "jsonl")
        with open(self.path(out), encoding="utf-8") as file:
            return file.read()


PAYLOADS = [
    {},
    {"text": "ä\u2028\U0001f600 \"quoted\"\\", "empty": "", "none": None},
    {"big": 2**64 - 1, "small": -(2**63), "beyond": 2**53 + 1, "float": 2.0, "tiny": 5e-324, "minus": -0.0},
    {"nested": {"list": [1, 2.5, None, True, {"deep": [[], {}]}], "": "no key"}},
]


def rows(count, dim, ids):
    """Points with vectors of 32 bits, under a seed of their own."""
    draw = random.Random(7)
    for number in range(count):
        vector = [float(np.float32(draw.uniform(-1, 1))) for _ in range(dim)]
        yield {"id": ids(number), "vector": vector, "payload": PAYLOADS[number % len(PAYLOADS)]}


def narrow(vector):
    """The numbers of 32 bits that are meant by the fewest digits that tell them apart."""
    if isinstance(vector, list):
        return [narrow(item) for item in vector]
    if isinstance(vector, dict):
        return {"indices": vector["indices"], "values": narrow(vector["values"])}
    return None if vector is None else float(np.float32(vector))


def neighbours(run, db, collection, vector, limit):
    answer = json.loads(run.vdb("query", db, collection, "--vector", json.dumps(vector), "--limit", str(limit), "--exact", "--json"))
    return [point["id"] for point in answer["points"]]


class Store:
    """As a wrapper keeps an index and what belongs to it: positions are keys."""

    def __init__(self, directory):
        self.index = faiss.read_index(os.path.join(directory, "index.faiss"))
        with open(os.path.join(directory, "metadata.pkl"), "rb") as file:
            data = pickle.load(file)
        self.metadata, self.counter, self.dimension = data["metadata"], data["counter"], data["dimension"]

    def search(self, vector, limit):
        query = np.array([vector], dtype=np.float32)
        faiss.normalize_L2(query)
        _, found = self.index.search(query, limit)
        return [self.metadata.get(int(position), {}) for position in found[0]]

    def save(self, directory):
        os.makedirs(directory, exist_ok=True)
        faiss.write_index(self.index, os.path.join(directory, "index.faiss"))
        with open(os.path.join(directory, "metadata.pkl"), "wb") as file:
            pickle.dump({"metadata": self.metadata, "counter": self.counter, "dimension": self.dimension}, file)


def with_faiss(run):
    dim, count = 16, 400
    kinds = {
        "positions": (lambda n: n, []),
        "map": (lambda n: 3 * n + 2**40, []),
        "key": (lambda n: str(uuid.UUID(int=n * 7919 + 5)) if n % 2 else n, ["--id-key", "own id"]),
    }
    for kind, (ids, options) in kinds.items():
        for distance in ["cosine", "dot", "euclid", "manhattan"]:
            name = "%s_%s" % (kind, distance)
            run.write(name + ".jsonl", rows(count, dim, ids))
            run.vdb("load", "faiss", name, name + ".jsonl", "--distance", distance, "--no-index")
            run.vdb("export", "faiss", name, name, "--format", "faiss", *options)
            before = run.lines("faiss", name)
            store = Store(run.path(name))
            run.check((store.counter, store.dimension, store.index.ntotal) == (count, dim, count), name + ": counts")
            run.check((type(faiss.downcast_index(store.index)).__name__ == "IndexIDMap2") == (kind == "map"), name + ": kind")
            # What the library writes again is imported again.
            store.save(run.path(name + "-again"))
            back = options + (["--distance", "cosine"] if distance == "cosine" else [])
            run.vdb("import", name + "-again", "faiss2", "--collection", name, "--no-index", *back)
            run.check(run.lines("faiss2", name) == before, name + ": there and back")
            if distance in ("cosine", "euclid") and kind != "key":
                draw = random.Random(11)
                for _ in range(20):
                    vector = [draw.uniform(-1, 1) for _ in range(dim)]
                    query = np.array([vector], dtype=np.float32)
                    if distance == "cosine":
                        faiss.normalize_L2(query)
                    found = [int(number) for number in store.index.search(query, 10)[1][0]]
                    run.check(found == neighbours(run, "faiss", name, vector, 10), name + ": neighbours")
    store = Store(run.path("key_cosine"))
    ours = neighbours(run, "faiss", "key_cosine", [1.0] + [0.0] * 15, 5)
    run.check([found["own id"] for found in store.search([1.0] + [0.0] * 15, 5)] == ours, "a wrapper's search")
    # A wrapper goes on adding.
    more = np.ones((1, 16), dtype=np.float32)
    faiss.normalize_L2(more)
    store.index.add(more)
    store.metadata[store.counter] = {"own id": 10**6}
    store.counter += 1
    store.save(run.path("more"))
    run.vdb("import", "more", "faiss3", "--id-key", "own id", "--distance", "cosine", "--no-index")
    run.check(len(run.lines("faiss3", "more").rstrip("\n").split("\n")) == 401, "a wrapper's store is imported again")


def with_indexes(run):
    """Indexes of other kinds."""
    dim, count = 8, 300
    vectors = np.random.default_rng(5).standard_normal((count, dim)).astype(np.float32)

    def filled(index):
        index.train(vectors)
        index.add(vectors)
        return index

    def inverted(kind):
        index = faiss.IndexIVFFlat(faiss.IndexFlatL2(dim), dim, 8)
        index.set_direct_map_type(kind)
        return filled(index)

    quantizer = faiss.ScalarQuantizer
    kinds = {
        "ivf": inverted(faiss.DirectMap.NoMap),
        "ivf_array": inverted(faiss.DirectMap.Array),
        "ivf_hash_table": inverted(faiss.DirectMap.Hashtable),
        "hnsw_sq": filled(faiss.IndexHNSWSQ(dim, quantizer.QT_8bit, 8)),
        "sq_half": filled(faiss.IndexScalarQuantizer(dim, quantizer.QT_fp16)),
        "sq_bytes": filled(faiss.IndexScalarQuantizer(dim, quantizer.QT_8bit_uniform)),
    }
    for name, index in kinds.items():
        faiss.write_index(index, run.path(name + ".faiss"))
        expected = vectors if name.startswith("ivf") else index.reconstruct_n(0, count)
        run.vdb("import", name + ".faiss", "indexes", "--no-index")
        found = [json.loads(line) for line in run.lines("indexes", name).rstrip("\n").split("\n")]
        run.check([one["id"] for one in found] == list(range(count)), name + ": ids")
        run.check(np.allclose([one["vector"] for one in found], expected, atol=1e-6), name + ": vectors")
    product = faiss.IndexIVFPQ(faiss.IndexFlatL2(dim), dim, 4, 4, 4)
    faiss.write_index(filled(product), run.path("pq.faiss"))
    try:
        run.vdb("import", "pq.faiss", "indexes")
        run.check(False, "a product quantizer was imported")
    except RuntimeError as error:
        run.check("IwPQ" in str(error), "a product quantizer: %s" % error)


def with_types(run):
    """Columns of every type that data sets have, in Parquet and in a directory of Arrow streams."""
    count = 20
    ids = [str(uuid.UUID(int=n + 1)) for n in range(count)]
    numbers = [[float(n), 0.5] for n in range(count)]
    halves = [np.array(row, dtype=np.float16) for row in numbers]
    moments = [dt.datetime(2024, 5, 1, 12, 0, n, tzinfo=dt.timezone.utc) for n in range(count)]
    payload = {
        "kind": pa.array(["a" if n % 2 else "b" for n in range(count)]).dictionary_encode(),
        "text": pa.array(["ü%d" % n for n in range(count)], pa.large_string()),
        "when": pa.array(moments, pa.timestamp("us", "UTC")),
        "price": pa.array([decimal.Decimal("%d.25" % n) for n in range(count)], pa.decimal128(10, 2)),
        "nested": pa.array([{"a": [n, None], "b": {"c": "x"}} for n in range(count)]),
        "pairs": pa.array([[("k", n)] for n in range(count)], pa.map_(pa.string(), pa.int64())),
    }
    expected = [{"kind": "a" if n % 2 else "b", "text": "ü%d" % n, "when": "2024-05-01T12:00:%02dZ" % n, "price": "%d.25" % n,
                 "nested": {"a": [n, None], "b": {"c": "x"}}, "pairs": {"k": n}} for n in range(count)]
    vectors = {
        "float16": pa.array(halves, pa.list_(pa.float16())),
        "large": pa.array(numbers, pa.large_list(pa.float32())),
        "fixed": pa.array(numbers, pa.list_(pa.float32(), 2)),
        "double": pa.array(numbers, pa.list_(pa.float64())),
    }
    for name, embedding in vectors.items():
        table = pa.table({"id": pa.array(ids).dictionary_encode(), "embedding": embedding, **payload})
        pq.write_table(table, run.path(name + ".parquet"))
        # As Hugging Face's `save_to_disk` leaves a data set.
        directory = run.path(name)
        os.makedirs(directory)
        for part in range(2):
            file = os.path.join(directory, "data-%05d-of-00002.arrow" % part)
            with pa.OSFile(file, "wb") as out, pa.ipc.new_stream(out, table.schema) as writer:
                writer.write_table(table.slice(part * 12, 12))
        for note in ["state.json", "dataset_info.json"]:
            with open(os.path.join(directory, note), "w", encoding="utf-8") as file:
                file.write("{}")
        for source in [name + ".parquet", name]:
            db = "types-" + source
            run.vdb("import", source, db, "--distance", "dot", "--no-index")
            found = [json.loads(line) for line in run.lines(db, name).rstrip("\n").split("\n")]
            run.check([one["id"] for one in found] == ids, source + ": ids")
            run.check([one["vector"] for one in found] == numbers, source + ": vectors")
            run.check([one["payload"] for one in found] == expected, source + ": payloads")


def with_arrow(run):
    points = []
    for row in rows(1500, 4, lambda n: n * n):
        number = len(points)
        vectors = {"dense": row["vector"], "words": {"indices": [1, number + 2], "values": [0.5, -1.5]},
                   "many": [[float(number), 1.0], [2.0, 3.0]]}
        if number % 3 == 0:
            del vectors["words"]
        if number % 5 == 0:
            del vectors["dense"]
        points.append({**row, "vector": vectors})
    run.write("arrow.jsonl", points[1:])
    run.vdb("load", "arrow", "c", "arrow.jsonl", "--distance", "dot", "--no-index")
    before = run.lines("arrow", "c")
    run.vdb("export", "arrow", "c", "c.parquet", "--format", "parquet")
    run.vdb("import", "c.parquet", "arrow2", "--no-index")
    run.check(run.lines("arrow2", "c") == before, "Parquet there and back")
    table = pq.read_table(run.path("c.parquet"))
    lines = [json.loads(line) for line in before.rstrip("\n").split("\n")]
    run.check(table.column("id").to_pylist() == [line["id"] for line in lines], "pyarrow: ids")
    # A column a field, of the type that has all of its values; else JSON.
    types = {"text": pa.string(), "empty": pa.string(), "none": None, "big": pa.uint64(), "small": pa.int64(), "beyond": pa.int64(),
             "float": pa.float64(), "tiny": pa.float64(), "minus": pa.float64(), "nested": None}
    payloads = [{} for _ in lines]
    for name, kind in types.items():
        run.check(table.schema.field(name).type == (kind or pa.string()), "pyarrow: type of " + name)
        for payload, value in zip(payloads, table.column(name).to_pylist()):
            if value is not None:
                payload[name] = value if kind else json.loads(value)
    run.check(payloads == [line.get("payload", {}) for line in lines], "pyarrow: payloads")
    known = ["id", "vector.dense", "vector.many", "vector.words", *types]
    run.check(sorted(table.schema.names) == sorted(known), "pyarrow: columns %s" % table.schema.names)
    for name in ["dense", "many", "words"]:
        found = table.column("vector." + name).to_pylist()
        run.check(found == [narrow(line["vector"].get(name)) for line in lines], "pyarrow: " + name)
    frame = table.to_pandas()
    run.check(len(frame) == len(lines), "pandas: rows")
    pq.write_table(table, run.path("again.parquet"), row_group_size=100, compression="zstd")
    run.vdb("import", "again.parquet", "arrow3", "--collection", "c", "--no-index")
    run.check(run.lines("arrow3", "c") == before, "Parquet by way of pyarrow")
    plain = [{"id": str(uuid.UUID(int=n)), "emb": [float(n), 0.5], "text": "ü%d" % n, "tags": ["a"] * (n % 3)} for n in range(50)]
    import pandas as pd
    pd.DataFrame(plain).to_parquet(run.path("plain.parquet"))
    pd.DataFrame(plain).to_feather(run.path("plain.feather"))
    for file in ["plain.parquet", "plain.feather"]:
        db = file.replace(".", "_")
        run.vdb("import", file, db, "--distance", "dot", "--no-index")
        found = [json.loads(line) for line in run.lines(db, "plain").rstrip("\n").split("\n")]
        expected = [{"id": one["id"], "vector": one["emb"], "payload": {"text": one["text"], "tags": one["tags"]}} for one in plain]
        run.check(found == expected, file)


def with_fields(run):
    """Fields of one type each are columns as pandas has them, nulls and lists among them."""
    points = [{"id": n, "vector": [float(n), 1.0], "payload": {
        "city": "Oslo" if n % 2 else "Rïga", "n": n - 5, "share": n / 4, "open": n % 3 == 0, "tags": ["a", None, "b"][:n % 4],
        "id": "own %d" % n, "vector": n}} for n in range(40)]
    points[3]["payload"]["city"] = None
    del points[4]["payload"]["city"]
    run.write("fields.jsonl", points)
    run.vdb("load", "fields", "c", "fields.jsonl", "--distance", "dot", "--no-index")
    run.vdb("export", "fields", "c", "fields.parquet", "--format", "parquet")
    frame = pq.read_table(run.path("fields.parquet")).to_pandas()
    run.check(list(frame["n"]) == [n - 5 for n in range(40)] and frame["n"].dtype == np.int64, "pandas: integers")
    run.check(frame["share"].dtype == np.float64 and frame["open"].dtype == bool, "pandas: floats, booleans")
    run.check(list(frame.groupby("city").size()) == [19, 19], "pandas: text")
    run.check([list(tags) for tags in frame["tags"]] == [point["payload"]["tags"] for point in points], "pandas: lists")
    run.check(list(frame["payload.id"]) == ["own %d" % n for n in range(40)], "pandas: a field that is called id")
    run.check([None if nulls is None else list(nulls) for nulls in frame["payload.nulls"]] ==
              [["city"] if n == 3 else None for n in range(40)], "pandas: null")
    run.vdb("import", "fields.parquet", "fields2", "--collection", "c", "--no-index")
    run.check(run.lines("fields2", "c") == run.lines("fields", "c"), "fields there and back")
    # Whoever writes it again may choose other widths.
    table = pq.read_table(run.path("fields.parquet"))
    at = table.schema.get_field_index("n")
    table = table.set_column(at, pa.field("n", pa.int16()), table.column("n").cast(pa.int16()))
    pq.write_table(table, run.path("narrow.parquet"))
    run.vdb("import", "narrow.parquet", "fields3", "--collection", "c", "--no-index")
    run.check(run.lines("fields3", "c") == run.lines("fields", "c"), "fields of other widths")


def with_texts(run):
    """Tables as pandas writes them, packed or not, whose ids are texts; in CSV vectors are text, too."""
    import pandas as pd
    space, count = uuid.UUID("6e0f53c8-2e1a-4c5f-9d57-1b84c0a277d3"), 40
    frame = pd.DataFrame({"slug": ["Größe %d" % n for n in range(count)], "n": range(count),
                          "embedding": [np.array([n, 0.5, 1 / 3, -1e-7], dtype=np.float32) for n in range(count)]})
    lists = frame.assign(embedding=[vector.tolist() for vector in frame["embedding"]])
    frame.to_csv(run.path("arrays.csv.gz"))
    lists.to_csv(run.path("lists.csv"), index=False)
    lists.to_json(run.path("lines.jsonl.gz"), orient="records", lines=True, double_precision=15)
    lists.to_parquet(run.path("table.parquet"))
    for file, more in [("arrays.csv.gz", ["--leave-out", ""]), ("lists.csv", []), ("lines.jsonl.gz", []), ("table.parquet", [])]:
        db = "texts-" + file
        run.vdb("import", file, db, "--collection", "c", "--id-column", "slug", "--text-ids", "slug", "--vector-column", "embedding",
                "--distance", "dot", "--no-index", *more)
        found = {one["id"]: one for one in map(json.loads, run.lines(db, "c").rstrip("\n").split("\n"))}
        run.check(set(found) == {str(uuid.uuid5(space, slug)) for slug in frame["slug"]}, file + ": ids")
        for slug, n, vector in frame.itertuples(index=False):
            one = found.get(str(uuid.uuid5(space, slug)), {"vector": [], "payload": {}})
            run.check(one["payload"] == {"n": n, "slug": slug}, "%s: payload of %s" % (file, slug))
            run.check(len(one["vector"]) == 4 and np.allclose(one["vector"], vector, rtol=1e-6), "%s: vector of %s" % (file, slug))


def with_numpy(run):
    run.write("n.jsonl", rows(300, 8, lambda n: n * 5 + 1))
    run.vdb("load", "numpy", "n", "n.jsonl", "--distance", "dot", "--no-index")
    before = run.lines("numpy", "n")
    run.vdb("export", "numpy", "n", "n.npy", "--format", "npy", "--rows", "rows.jsonl")
    matrix = np.load(run.path("n.npy"))
    lines = [json.loads(line) for line in before.rstrip("\n").split("\n")]
    run.check(matrix.dtype == np.float32 and matrix.tolist() == [narrow(line["vector"]) for line in lines], "numpy: vectors")
    run.vdb("load", "numpy2", "n", "n.npy", "--rows", "rows.jsonl", "--distance", "dot", "--no-index")
    run.check(run.lines("numpy2", "n") == before, ".npy there and back")
    np.savez_compressed(run.path("z.npz"), vectors=matrix, ids=[line["id"] for line in lines])
    run.vdb("import", "z.npz", "numpy3", "--distance", "dot", "--no-index")
    found = [json.loads(line) for line in run.lines("numpy3", "z").rstrip("\n").split("\n")]
    run.check([[one["id"], one["vector"]] for one in found] == [[one["id"], one["vector"]] for one in lines], ".npz")


def with_chroma(run):
    """Collections of every space, above and below what is kept in a graph, with records that were changed and deleted."""
    client = chromadb.PersistentClient(path=run.path("chroma"), settings=chromadb.Settings(anonymized_telemetry=False))
    draw = np.random.default_rng(3)
    kept = {}
    for space, distance in [("l2", "euclid"), ("ip", "dot"), ("cosine", "cosine")]:
        for count in [20, 1200]:
            name = "posts_%s_%d" % (space, count)
            posts = client.create_collection(name, metadata={"hnsw:space": space, "owner": "me", "version": 3},
                                             embedding_function=None)
            vectors = draw.standard_normal((count, 6)).astype(np.float32)
            ids = [str(uuid.UUID(int=n + 1)) if n % 2 else "post %d" % n for n in range(count)]
            metadata = [{"n": n, "half": n / 2, "even": n % 2 == 0, "word": "ö%d" % n} for n in range(count)]
            for start in range(0, count, 400):
                part = slice(start, start + 400)
                posts.add(ids=ids[part], embeddings=vectors[part].tolist(), metadatas=metadata[part],
                          documents=["text %d" % n for n in range(count)][part])
            posts.delete(ids=[ids[3]])
            posts.update(ids=[ids[5]], metadatas=[{"n": -5}])
            posts.upsert(ids=[ids[6]], embeddings=[vectors[7].tolist()], metadatas=[{"new": True}], documents=["other"])
            answer = posts.get(include=["embeddings", "documents", "metadatas"])
            kept[name] = (distance, [*zip(answer["ids"], answer["embeddings"], answer["documents"], answer["metadatas"])])
    del client
    run.vdb("import", "chroma", "from_chroma", "--all", "--no-index")
    for name, (distance, records) in kept.items():
        found = {}
        for line in run.lines("from_chroma", name).rstrip("\n").split("\n"):
            one = json.loads(line)
            found[one.get("payload", {}).pop("chroma_id", one["id"])] = one
        run.check(len(found) == len(records) and len(records) in (19, 1199), name + ": records")
        for id, vector, document, metadata in records:
            one = found.get(id, {"vector": [], "payload": {}})
            run.check(one["payload"] == {**metadata, "document": document}, "%s: payload of %s" % (name, id))
            got = np.float32(one["vector"])
            if distance == "cosine":
                near = got.shape == vector.shape and np.allclose(got, vector / np.linalg.norm(vector), atol=1e-6)
            else:
                near = np.array_equal(got, np.float32(vector))
            run.check(near, "%s: vector of %s" % (name, id))
        settings = json.loads(run.vdb("config", "from_chroma", name, "--json"))["settings"]
        noted = settings["metadata"]
        run.check((noted["owner"], noted["version"]) == ("me", 3), name + ": metadata of the collection")
        info = json.loads(run.vdb("info", "from_chroma", name, "--json"))
        run.check(distance in json.dumps(info).lower(), name + ": distance")


def main():
    with tempfile.TemporaryDirectory() as folder:
        run = Run(os.path.abspath(sys.argv[1]), folder)
        for part in [with_faiss, with_indexes, with_types, with_arrow, with_fields, with_texts, with_numpy, with_chroma]:
            try:
                part(run)
            except RuntimeError as error:
                run.check(False, "%s: %s" % (part.__name__, error))
    print("%d passed, %d failed" % (run.good, run.bad))
    sys.exit(1 if run.bad or not run.good else 0)


if __name__ == "__main__":
    main()
