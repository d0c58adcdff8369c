#!/usr/bin/env python3
"""Measure other vector indexes on one data set, one after another, each in a process of its own.

    pip install -r benches/peers/requirements.txt
    peers.py --data VECTORS [--queries N | --split ROWS.npy] [--rows N] [--only hnswlib,usearch-f32]

VECTORS: .npy (float16 or float32, a vector a row) or .fvecs; for cosine every vector is brought to length one. --distance dot
and euclid are measured by hnswlib, faiss' graphs and usearch's single precision; the others are set up for cosine. Queries
are the rows that --split lists, or the last --queries rows of numpy.random.default_rng(42).permutation(rows); the others
are the base, in the order of the file, with their number in it as id.

Prints one JSON line a system and setting, with the fields and units of `vdb bench search --json`: recall is the share of
the ten nearest by plain sums; one query a call on one thread, of each query the fastest of at least three passes and four
seconds; build_s is the time from vectors in memory to an index that can be asked, on --threads threads; rss_mb the growth
of resident memory from before the build until the setting was measured; disk_mb the index as it is saved, below TMPDIR while
it is measured.

A system that is not installed, fails or crashes gives one line {"system", "error"}, and the next is measured.
"""
import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LIMIT = 10
WARM_UP = 50
M = 16
EF_CONSTRUCT = 200
EF = (10, 16, 24, 32, 48, 64, 96, 128, 200, 300, 512)


def vectors_of(path):
    """All vectors of a file, one a row, as they lie there: mapped, so that only what is taken out of it costs memory."""
    import numpy as np

    if path.suffix == ".npy":
        return np.load(path, mmap_mode="r")
    if path.suffix == ".fvecs":
        size = path.stat().st_size
        words = np.memmap(path, dtype="<i4", mode="r") if size and size % 4 == 0 else []
        dim = int(words[0]) if len(words) else 0
        if dim <= 0 or len(words) % (dim + 1):
            raise ValueError(f"{path}: not a whole number of .fvecs vectors of {dim} numbers")
        rows = words.reshape(-1, dim + 1)
        if (rows[:, 0] != dim).any():
            raise ValueError(f"{path}: vectors of different lengths")
        return rows[:, 1:].view("<f4")
    raise ValueError(f"{path}: expected .npy or .fvecs")


def to_length_one(vectors):
    """Divides every vector by its length, in place; some at a time, as the squares of all would be as large as they are."""
    import numpy as np

    for first in range(0, len(vectors), 10_000):
        some = vectors[first : first + 10_000]
        lengths = np.linalg.norm(some, axis=1, keepdims=True)
        some /= np.where(lengths > 0, lengths, 1)


class DataSet:
    """Vectors, of length one for cosine, queries, and the true neighbours of each query."""

    def __init__(self, args):
        import numpy as np

        vectors = vectors_of(args.data)
        if args.split:
            listed = np.load(args.split).astype(np.int64)
        else:
            listed = np.random.default_rng(42).permutation(len(vectors))[-args.queries :]
        is_base = np.ones(len(vectors), bool)
        is_base[listed] = False
        self.name = args.data.name.split(".")[0]
        self.queries = np.ascontiguousarray(vectors[listed], dtype=np.float32)
        self.base = np.ascontiguousarray(vectors[np.flatnonzero(is_base)[: args.rows]], dtype=np.float32)
        if args.distance == "cosine":
            to_length_one(self.queries)
            to_length_one(self.base)
        self.dim = self.base.shape[1]
        self.truth = []
        # |q - v|^2 = |q|^2 - 2 (q v - |v|^2 / 2): the nearest have the least |v|^2 / 2 - q v.
        half = np.einsum("ij,ij->i", self.base, self.base) / 2 if args.distance == "euclid" else 0
        # Scores and the numbers of their rows take 12 bytes each: at most a quarter of a gigabyte at once.
        queries = max(1, min(100, 20_000_000 // len(self.base)))
        for first in range(0, len(self.queries), queries):
            scores = half - self.queries[first : first + queries] @ self.base.T
            self.truth += [set(row.tolist()) for row in np.argpartition(scores, LIMIT - 1, axis=1)[:, :LIMIT]]


def memory():
    """Resident memory of this process in bytes: all of it, its own, pages of mapped files."""
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return [int(fields[name].split()[0]) * 1024 for name in ("VmRSS", "RssAnon", "RssFile")]


def bytes_on_disk(path):
    if path.is_file():
        return path.stat().st_size
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


class Job:
    """The measurement of one system."""

    def __init__(self, args, data_set, scratch):
        self.args, self.set, self.scratch, self.threads = args, data_set, scratch, args.threads
        self.euclid = args.distance == "euclid"
        self.before = memory()
        self.build_s = None

    @contextlib.contextmanager
    def building(self):
        """What is done inside is the build."""
        started = time.perf_counter()
        yield
        self.build_s = time.perf_counter() - started

    def measure(self, system, setting, search, saved=None):
        """Asks every query in passes; `search` gives the ids for one vector, `saved` is where the index lies."""
        import numpy as np

        queries, truth = self.set.queries, self.set.truth
        for query in queries[:WARM_UP]:
            search(query)
        best, hits, passes = np.full(len(queries), np.inf), 0, 0
        end = time.perf_counter() + self.args.seconds
        while passes < self.args.passes or time.perf_counter() < end:
            for number, query in enumerate(queries):
                started = time.perf_counter()
                found = search(query)
                best[number] = min(best[number], time.perf_counter() - started)
                if passes == 0:
                    hits += len(truth[number].intersection(map(int, found)))
            passes += 1
        total, own, mapped = ((now - then) / 1e6 for now, then in zip(memory(), self.before))
        micros = lambda percent: round(float(np.percentile(best, percent)) * 1e6, 1)
        line = {
            "system": system,
            "setting": setting,
            "build_s": round(self.build_s, 3),
            "rss_mb": round(total, 1),
            "disk_mb": saved and round(bytes_on_disk(saved) / 1e6, 1),
            "recall": round(hits / (len(queries) * LIMIT), 4),
            "qps": round(1 / float(best.mean()), 1),
            "p50_us": micros(50),
            "p99_us": micros(99),
            "p95_us": micros(95),
            "rss_anon_mb": round(own, 1),
            "rss_file_mb": round(mapped, 1),
            "rows": len(self.set.base),
            "queries": len(queries),
            "passes": passes,
            "data": self.set.name,
        }
        print(json.dumps(line), flush=True)


def hnswlib(job, ef_construct=EF_CONSTRUCT):
    import hnswlib
    import numpy as np

    with job.building():
        index = hnswlib.Index("l2" if job.euclid else "ip", job.set.dim)
        index.init_index(len(job.set.base), M=M, ef_construction=ef_construct)
        index.set_num_threads(job.threads)
        index.add_items(job.set.base, np.arange(len(job.set.base)))
    saved = job.scratch / "index"
    index.save_index(str(saved))
    index.set_num_threads(1)
    for ef in EF:
        index.set_ef(ef)
        search = lambda query: index.knn_query(query, LIMIT)[0][0]
        job.measure(f"hnswlib M{M} efc{ef_construct}", f"ef={ef}", search, saved)


def faiss_hnsw(job, kind):
    import faiss

    faiss.omp_set_num_threads(job.threads)
    metric = faiss.METRIC_L2 if job.euclid else faiss.METRIC_INNER_PRODUCT
    with job.building():
        if kind == "flat":
            index = faiss.IndexHNSWFlat(job.set.dim, M, metric)
        else:
            eight_bits = faiss.ScalarQuantizer.QT_8bit
            index = faiss.IndexHNSWSQ(job.set.dim, eight_bits, M, metric)
            index.train(job.set.base)
        index.hnsw.efConstruction = EF_CONSTRUCT
        index.add(job.set.base)
    saved = job.scratch / "index"
    faiss.write_index(index, str(saved))
    faiss.omp_set_num_threads(1)
    for ef in EF:
        index.hnsw.efSearch = ef
        search = lambda query: index.search(query[None], LIMIT)[1][0]
        job.measure(f"faiss HNSW {kind} M{M} efc{EF_CONSTRUCT}", f"ef={ef}", search, saved)


def faiss_ivf(job):
    """Inverted lists of 4-bit product codes, scanned in registers, the best rescored with the vectors."""
    import faiss

    faiss.omp_set_num_threads(job.threads)
    lists = int(4 * len(job.set.base) ** 0.5)
    with job.building():
        name = f"IVF{lists},PQ{job.set.dim // 2}x4fs,RFlat"
        index = faiss.index_factory(job.set.dim, name, faiss.METRIC_INNER_PRODUCT)
        index.train(job.set.base)
        index.add(job.set.base)
    saved = job.scratch / "index"
    faiss.write_index(index, str(saved))
    faiss.omp_set_num_threads(1)
    inner = faiss.extract_index_ivf(index.base_index)
    for probes, factor in ((4, 4), (8, 4), (8, 10), (16, 10), (32, 10), (64, 10), (128, 20), (256, 20)):
        if probes > lists:
            break
        inner.nprobe, index.k_factor = probes, factor
        search = lambda query: index.search(query[None], LIMIT)[1][0]
        job.measure(f"faiss {name}", f"nprobe={probes},k_factor={factor}", search, saved)


def usearch(job, dtype):
    import numpy as np
    from usearch.index import Index

    with job.building():
        metric = "l2sq" if job.euclid else "cos" if dtype == "i8" else "ip"
        index = Index(ndim=job.set.dim, metric=metric, dtype=dtype, connectivity=M, expansion_add=EF_CONSTRUCT)
        index.add(np.arange(len(job.set.base)), job.set.base, threads=job.threads)
    saved = job.scratch / "index"
    index.save(str(saved))
    for ef in EF:
        index.expansion_search = ef
        search = lambda query: index.search(query, LIMIT, threads=1).keys
        job.measure(f"usearch {dtype} M{M} efc{EF_CONSTRUCT}", f"ef={ef}", search, saved)


EPSILON = (0.0, 0.02, 0.05, 0.08, 0.1, 0.15, 0.2, 0.3)


def ngt_graph(job, home):
    """An ANNG in the folder `home`."""
    import ngtpy

    ngtpy.create(str(home), job.set.dim, distance_type="Normalized L2")
    index = ngtpy.Index(str(home))
    index.batch_insert(job.set.base, num_threads=job.threads)
    index.save()
    index.close()


def ngt_anng(job):
    import ngtpy

    home = job.scratch / "anng"
    with job.building():
        ngt_graph(job, home)
    index = ngtpy.Index(str(home), read_only=True)
    for epsilon in EPSILON:
        search = lambda query: [row for row, _ in index.search(query, LIMIT, epsilon)]
        job.measure("ngt ANNG", f"epsilon={epsilon}", search, home)


def ngt_qg(job):
    """A quantised graph. NGT's Python package can ask one; its program qbg, built from source, makes it."""
    import ngtpy

    program = shutil.which("qbg")
    if program is None:
        raise RuntimeError("needs NGT's program qbg on the path (https://github.com/yahoojapan/NGT)")
    home = job.scratch / "qg"
    with job.building():
        ngt_graph(job, home)
        for step in ("create-qg", "build-qg"):
            subprocess.run([program, step, str(home)], check=True, stdout=subprocess.DEVNULL)
    index = ngtpy.QuantizedIndex(str(home))
    for epsilon in EPSILON:
        search = lambda query: [row for row, _ in index.search(query, LIMIT, epsilon)]
        job.measure("ngt QG", f"epsilon={epsilon}", search, home)


def svs(job, kind):
    import svs

    if kind == "f32":
        data = job.set.base
    else:
        file = str(job.scratch / "base.fvecs")
        svs.write_vecs(job.set.base, file)
        loader = svs.VectorDataLoader(file, svs.DataType.float32, dims=job.set.dim)
        primary, residual = {"lvq8": (8, 0), "lvq4x8": (4, 8)}[kind]
        data = svs.LVQLoader(loader, primary=primary, residual=residual)
    with job.building():
        parameters = svs.VamanaBuildParameters(graph_max_degree=64, window_size=128, alpha=0.95)
        index = svs.Vamana.build(parameters, data, svs.DistanceType.MIP, num_threads=job.threads)
    saved = job.scratch / "index"
    saved.mkdir()
    index.save(*(str(saved / part) for part in ("config", "graph", "data")))
    index.num_threads = 1
    for window in (10, 16, 24, 32, 48, 64, 96, 128, 200, 300):
        index.search_window_size = window
        search = lambda query: index.search(query[None], LIMIT)[0][0]
        job.measure(f"svs vamana {kind} R64 L128", f"window={window}", search, saved)


def zvec(job, kind):
    import zvec

    quantised = {} if kind == "f32" else {"quantize_type": zvec.QuantizeType.INT8}
    parameters = zvec.HnswIndexParam(
        metric_type=zvec.MetricType.IP, m=M, ef_construction=EF_CONSTRUCT, **quantised
    )
    vector = zvec.VectorSchema("v", zvec.DataType.VECTOR_FP32, job.set.dim, index_param=parameters)
    home = job.scratch / "collection"
    collection = zvec.create_and_open(path=str(home), schema=zvec.CollectionSchema(name="b", vectors=vector))
    with job.building():
        for first in range(0, len(job.set.base), 1000):
            some = enumerate(job.set.base[first : first + 1000], first)
            collection.insert([zvec.Doc(id=str(row), vectors={"v": vector.tolist()}) for row, vector in some])
        collection.optimize()
    for ef in EF:
        asked = zvec.HnswQueryParam(ef=ef)

        def search(query):
            found = collection.query(zvec.Query("v", vector=query, param=asked), topk=LIMIT, output_fields=[])
            return [doc.id for doc in found]

        job.measure(f"zvec {kind} M{M} efc{EF_CONSTRUCT}", f"ef={ef}", search, home)


PEERS = {
    "hnswlib": hnswlib,
    "hnswlib-quick": lambda job: hnswlib(job, ef_construct=80),
    "faiss-hnsw": lambda job: faiss_hnsw(job, "flat"),
    "faiss-hnsw-sq8": lambda job: faiss_hnsw(job, "sq8"),
    "faiss-ivf": faiss_ivf,
    "usearch-f32": lambda job: usearch(job, "f32"),
    "usearch-i8": lambda job: usearch(job, "i8"),
    "ngt-anng": ngt_anng,
    "ngt-qg": ngt_qg,
    "svs-f32": lambda job: svs(job, "f32"),
    "svs-lvq8": lambda job: svs(job, "lvq8"),
    "svs-lvq4x8": lambda job: svs(job, "lvq4x8"),
    "zvec-f32": lambda job: zvec(job, "f32"),
    "zvec-int8": lambda job: zvec(job, "int8"),
}


# The others are set up for vectors of length one here.
OTHER_DISTANCES = ("hnswlib", "hnswlib-quick", "faiss-hnsw", "faiss-hnsw-sq8", "usearch-f32")


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--data", type=Path, required=True, help="vectors: .npy or .fvecs")
    asked = parser.add_mutually_exclusive_group()
    asked.add_argument("--queries", type=int, default=1000, help="how many rows are queries")
    asked.add_argument("--split", type=Path, help="row numbers of the queries, .npy")
    parser.add_argument("--rows", type=int, help="only the first so many rows that are not queries")
    parser.add_argument("--distance", choices=["cosine", "dot", "euclid"], default="cosine", help="how nearness is measured")
    parser.add_argument(
        "--only",
        type=lambda text: text.split(","),
        default=list(PEERS),
        help=f"which, of {', '.join(PEERS)}; all unless given",
    )
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="threads that build; one a core unless given")
    parser.add_argument("--passes", type=int, default=3, help="every query is asked at least so often")
    parser.add_argument("--seconds", type=float, default=4.0, help="a setting is measured for at least so long")
    # The program calls itself with this.
    parser.add_argument("--one", choices=PEERS, help=argparse.SUPPRESS)
    args = parser.parse_args()
    wrong = [name for name in args.only if name not in PEERS]
    if wrong:
        parser.error(f"--only: {', '.join(map(repr, wrong))}: expected some of {', '.join(PEERS)}")
    return args


def measure_one(args):
    """One system, in this process; the reason where it cannot be measured, on the last line of standard error."""
    with tempfile.TemporaryDirectory(prefix="peers-") as scratch:
        try:
            if args.distance != "cosine" and args.one not in OTHER_DISTANCES:
                raise ValueError(f"--distance {args.distance}: measured by {', '.join(OTHER_DISTANCES)} only")
            PEERS[args.one](Job(args, DataSet(args), Path(scratch)))
        except Exception as error:
            sys.exit(f"{type(error).__name__}: {error}")


def main():
    args = arguments()
    if args.one:
        return measure_one(args)
    for name in args.only:
        print(f"peers: {name}", file=sys.stderr, flush=True)
        command = [sys.executable, __file__, *sys.argv[1:], "--one", name]
        done = subprocess.run(command, stderr=subprocess.PIPE, text=True, errors="replace")
        sys.stderr.write(done.stderr)
        if done.returncode:
            said = done.stderr.strip().splitlines()
            reason = f"ended by signal {-done.returncode}" if done.returncode < 0 else (said or ["no message"])[-1]
            print(json.dumps({"system": name, "error": reason}), flush=True)


if __name__ == "__main__":
    main()
