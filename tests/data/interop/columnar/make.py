#!/usr/bin/env python3
"""Makes the files beside it: what pyarrow, pandas, polars and NumPy write.

  make.py            needs pyarrow, pandas, polars and numpy; `versions.txt` says which made them

The tests of `interop/src/columnar` and `interop/src/npz` say what is in them.
"""

import datetime as dt
import decimal
import os

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.ipc as ipc
import pyarrow.parquet as pq

HERE = os.path.dirname(os.path.abspath(__file__))
ROWS = 5


def at(name):
    return os.path.join(HERE, name)


def table(vector):
    rows = range(ROWS)
    utc = dt.timezone.utc
    moment = dt.datetime(2024, 5, 1, 12, 30, 0, 250000, tzinfo=utc)
    return pa.table({
        "id": pa.array([10 + row for row in rows], pa.int64()),
        "embedding": pa.array([[row, row + 0.5, -1.0] for row in rows], vector),
        "word": pa.array(["ä-%d" % row for row in rows]),
        "count": pa.array([-3, None, 0, 1, 2], pa.int32()),
        "big": pa.array([2**64 - 1 - row for row in rows], pa.uint64()),
        "score": pa.array([0.25 * (row + 1) for row in rows], pa.float64()),
        "good": pa.array([row % 2 == 0 for row in rows]),
        "tags": pa.array([["x", None] if row == 0 else [] for row in rows], pa.list_(pa.string())),
        "nested": pa.array([{"a": row + 1, "b": ["c"]} for row in rows],
                           pa.struct([("a", pa.int64()), ("b", pa.list_(pa.string()))])),
        "day": pa.array([dt.date(2024, 2, 29)] * ROWS),
        "at": pa.array([moment] * ROWS, pa.timestamp("us", tz="UTC")),
        "naive": pa.array([dt.datetime(2024, 5, 1, 12, 30)] * ROWS, pa.timestamp("ns")),
        "kind": pa.array(["red", "blue", "red", None, "blue"]).dictionary_encode(),
    })


def many():
    plain = table(pa.list_(pa.float32()))
    fixed = table(pa.list_(pa.float32(), 3))
    # Integers with nulls among them would become floats.
    plain.to_pandas(integer_object_nulls=True).to_parquet(at("pandas.parquet"))
    pq.write_table(fixed, at("pyarrow_fixed.parquet"), row_group_size=2)
    pq.write_table(fixed, at("pyarrow_zstd.parquet"), compression="zstd", data_page_version="2.0")
    pq.write_table(plain, at("pyarrow_gzip_v2.parquet"), compression="gzip", data_page_version="2.0", version="2.6")
    pq.write_table(plain, at("pyarrow_lz4.parquet"), compression="lz4", use_dictionary=False)
    frame = pl.from_arrow(fixed)
    frame.write_parquet(at("polars.parquet"))
    frame.write_ipc_stream(at("polars.arrows"))
    frame.write_ipc(at("polars.arrow"))
    frame.write_ipc(at("polars_zstd.arrow"), compression="zstd")
    feather.write_feather(plain, at("feather_lz4.feather"), compression="lz4", chunksize=2)
    with ipc.new_stream(at("stream_zstd.arrows"), fixed.schema, options=ipc.IpcWriteOptions(compression="zstd")) as out:
        out.write_table(fixed, max_chunksize=2)
    with ipc.new_file(at("file.arrow"), fixed.schema) as out:
        out.write_table(fixed, max_chunksize=3)


def chosen():
    ids = pa.array([1, 2], pa.uint32())
    pq.write_table(pa.table({
        "id": ids,
        "image": pa.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], pa.list_(pa.float32(), 3)),
        "text": pa.array([[0.5, 1.5], [2.5, 3.5]], pa.list_(pa.float32(), 2)),
    }), at("several.parquet"))
    lists = pa.list_(pa.float32())
    pq.write_table(pa.table({"id": ids, "a": pa.array([[1.0], [2.0]], lists), "b": pa.array([[1.0], [2.0]], lists)}),
                   at("ambiguous.parquet"))
    words = pa.struct([("indices", pa.list_(pa.uint32())), ("values", pa.list_(pa.float32()))])
    pq.write_table(pa.table({
        "id": ids,
        "half": pa.array([np.array([0.5, -2.0], np.float16), None], pa.list_(pa.float16())),
        "double": pa.array([[0.1, 1e-3], [1.0, 2.0]], pa.list_(pa.float64())),
        "bytes": pa.array([[0, 255], [1, 2]], pa.list_(pa.uint8(), 2)),
        "rows": pa.array([[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0]]], pa.list_(pa.list_(pa.float32()))),
        "words": pa.array([{"indices": [7, 9], "values": [0.5, 1.5]}, None], words),
    }), at("kinds.parquet"))
    pq.write_table(pa.table({
        "id": ids,
        "vector": pa.array([[1.0], [2.0]], lists),
        "blob": pa.array([b"\x00\x01\x02", b""]),
        "price": pa.array([decimal.Decimal("12.50"), None], pa.decimal128(10, 2)),
        "ratio": pa.array([float("nan"), 1.0]),
        "took": pa.array([1, 2], pa.duration("s")),
    }), at("odd.parquet"))
    vector = pa.array([[1.0], [2.0]], lists)
    pq.write_table(pa.table({"id": ["6F1B8F86-58A0-4C3A-9D7E-0A1B2C3D4E5F", "7"], "vector": vector}), at("uuids.parquet"))
    pq.write_table(pa.table({"id": ["doc-1", "doc-2"], "vector": vector}), at("texts.parquet"))


def arrays():
    rows = 4
    content = {
        "vectors": np.arange(3 * rows, dtype=np.float32).reshape(rows, 3),
        "ids": np.arange(100, 100 + rows),
        "word": np.array(["ä%d" % row for row in range(rows)]),
        "code": np.array([b"b%d" % row for row in range(rows)]),
        "count": -np.arange(rows, dtype=np.int16),
        "score": np.arange(rows) / 2,
        "good": np.arange(rows) % 2 == 0,
        "at": np.datetime64("2024-05-01T12:30:00", "ms") + np.arange(rows) * 1000,
        "day": np.datetime64("2024-05-01", "D") + np.arange(rows),
        "pair": np.arange(2 * rows, dtype=np.uint8).reshape(rows, 2),
    }
    np.savez(at("stored.npz"), **content)
    np.savez_compressed(at("deflated.npz"), **content)
    np.savez(at("several.npz"), a=np.ones((2, 2), np.float32), b=np.ones((2, 3), np.float16), short=np.ones(1),
             objects=np.array([{}, None], dtype=object))


def main():
    many()
    chosen()
    arrays()
    with open(at("versions.txt"), "w", encoding="ascii") as file:
        for module in (pa, pd, pl, np):
            file.write("%s %s\n" % (module.__name__, module.__version__))


if __name__ == "__main__":
    main()
