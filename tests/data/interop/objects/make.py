#!/usr/bin/env python3
"""Makes the pickles beside it, of objects that programs save:

  server.backup        a backup of a collection of a server, of which more is told than of one in memory
  metadata_pN.pkl      metadata of FAISS in protocol N, with values of Python's and NumPy's types
  index.pkl            what LangChain's store for FAISS keeps beside an index, under LangChain's names of classes
  index_texts.pkl      the same with ids that are no UUIDs

  make.py              needs qdrant-client and numpy
"""

import datetime as dt
import os
import pickle
import sys
import types
import uuid

import numpy as np
from pydantic import BaseModel
from qdrant_client import models

HERE = os.path.dirname(os.path.abspath(__file__))
COUNT = 12


def save(name, value, protocol=4):
    with open(os.path.join(HERE, name), "wb") as file:
        pickle.dump(value, file, protocol=protocol)


def server():
    keyword = models.KeywordIndexParams(type=models.KeywordIndexType.KEYWORD, is_tenant=True, on_disk=False)
    text = models.TextIndexParams(
        type=models.TextIndexType.TEXT, tokenizer=models.TokenizerType.WORD, min_token_len=2, lowercase=True,
        stopwords=models.StopwordsSet(languages=[models.Language.ENGLISH], custom=["x"]),
        stemmer=models.SnowballParams(type=models.Snowball.SNOWBALL, language=models.SnowballLanguage.ENGLISH))
    index = models.PayloadIndexInfo
    schema = {
        "city": index(data_type=models.PayloadSchemaType.KEYWORD, params=keyword, points=3),
        "text": index(data_type=models.PayloadSchemaType.TEXT, params=text, points=3),
        "n": index(data_type=models.PayloadSchemaType.INTEGER, points=3),
    }
    binary = models.BinaryQuantizationConfig(encoding=models.BinaryQuantizationEncoding.TWO_BITS)
    vectors = models.VectorParams(size=2, distance=models.Distance.DOT, memory=models.Memory.CACHED,
                                  quantization_config=models.BinaryQuantization(binary=binary))
    config = models.CollectionConfig(
        params=models.CollectionParams(vectors=vectors, shard_number=2, sharding_method=models.ShardingMethod.CUSTOM),
        hnsw_config=models.HnswConfig(m=16, ef_construct=100, full_scan_threshold=10000),
        optimizer_config=models.OptimizersConfig(deleted_threshold=0.2, vacuum_min_vector_number=1000, default_segment_number=0,
                                                 flush_interval_sec=5),
        wal_config=models.WalConfig(wal_capacity_mb=32, wal_segments_ahead=0),
        strict_mode_config=models.StrictModeConfigOutput(enabled=True, upsert_max_batchsize=1, max_query_limit=2))
    info = models.CollectionInfo(
        status=models.CollectionStatus.YELLOW, optimizer_status=models.OptimizersStatusOneOf1(error="no room"),
        warnings=[models.CollectionWarning(message="slow")], segments_count=4, points_count=3, config=config, payload_schema=schema,
        update_queue=models.UpdateQueueInfo(length=0), created_at=dt.datetime(2026, 1, 2, 3, 4, 5, 6, dt.timezone.utc))
    # What a client makes of an answer has an offset of pydantic's own.
    info = models.CollectionInfo.model_validate_json(info.model_dump_json())
    points = [models.Record(id=n, vector=[float(n), 0.5], payload={"city": "Oslo", "text": "a bird", "n": n}, shard_key="north")
              for n in range(3)]
    save("server.backup", {"points": points, "collection_info": info})


def metadata(n):
    there = dt.timezone(dt.timedelta(hours=-3, minutes=-30))
    return {"score": np.float32(n / 4), "rank": np.int64(-n), "big": np.uint64(2**64 - 1 - n), "even": np.bool_(n % 2 == 0),
            "half": np.float16(0.5), "seen": dt.datetime(2024, 5, 1, 12, n, tzinfo=dt.timezone.utc), "day": dt.date(2024, 2, 29),
            "local": dt.datetime(2024, 5, 1, 0, 0, 1, 250000), "there": dt.datetime(1999, 12, 31, tzinfo=there), "pair": (n, "a")}


class Document(BaseModel):
    id: str | None = None
    metadata: dict
    page_content: str
    type: str = "Document"


class InMemoryDocstore:
    def __init__(self, documents):
        self._dict = documents


def langchain(name, own):
    documents = {own(n): Document(page_content="text %d" % n, metadata={"n": n} if n else {}) for n in reversed(range(COUNT))}
    save(name, (InMemoryDocstore(documents), {n: own(n) for n in range(COUNT)}))


def main():
    server()
    for protocol in range(6):
        values = {np.int64(n) if n % 2 else n: metadata(n) for n in range(COUNT)}
        save("metadata_p%d.pkl" % protocol, {"metadata": values, "counter": COUNT, "dimension": 8}, protocol)
    for one, module in [(Document, "langchain_core.documents.base"), (InMemoryDocstore, "langchain_community.docstore.in_memory")]:
        one.__module__ = module
        parts = module.split(".")
        for end in range(1, len(parts) + 1):
            package = ".".join(parts[:end])
            sys.modules.setdefault(package, types.ModuleType(package))
        setattr(sys.modules[module], one.__name__, one)
    langchain("index.pkl", lambda n: str(uuid.UUID(int=n * 977 + 1)))
    langchain("index_texts.pkl", lambda n: "doc %d" % n)


if __name__ == "__main__":
    main()
