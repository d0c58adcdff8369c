"""Ours as a server, behind Qdrant's client: what goes over REST or gRPC, and back."""

import os
import sys
import tempfile
from copy import deepcopy
from pathlib import Path

import grpc
from qdrant_client import QdrantClient
from qdrant_client.common.client_exceptions import QdrantException
from qdrant_client.http.exceptions import ApiException

from generate import INDEXES
from subjects import Local, Refused

sys.path.append(str(Path(__file__).parent.parent / "clients"))
import server

# What orders and facets need, and what only makes filters faster.
NEEDED = {"kw": "keyword", "n": "integer", "f": "float", "b": "bool", "when": "datetime", "tags": "keyword"}
NEEDED |= {"items[].v": "integer", "items[].k": "keyword", "obj.a.b": "integer", "obj.c": "keyword"}


class Served(Local):
    """`vdb serve`, in a process of its own, asked by the same client that is its own local mode beside it."""

    def __init__(self, binary, by_grpc):
        self.parent = tempfile.TemporaryDirectory(prefix="vdb-differential-")
        directory = os.path.join(self.parent.name, "data")
        os.mkdir(directory)
        self.server = server.start(binary, directory)
        ports = {"port": self.server.http_port, "grpc_port": self.server.grpc_port}
        self.client = QdrantClient("127.0.0.1", **ports, prefer_grpc=by_grpc, timeout=60)

    @property
    def process(self):
        return self.server.process

    def close(self):
        self.client.close()
        self.server.stop()
        self.parent.cleanup()
        return 0

    def guarded(self, call):
        try:
            return call()
        except (ApiException, QdrantException, grpc.RpcError) as error:
            raise Refused(f"{type(error).__name__}: {error}") from error

    def create(self, collection, vectors):
        super().create(collection, vectors)
        for field, kind in NEEDED.items():
            self.client.create_payload_index(collection, field, kind)

    def whole(self, query, prefetch, filter):
        """It understands a query as it stands."""
        return filter, deepcopy(prefetch)

    def retrieve(self, collection, ids, with_payload=True, with_vector=False):
        found = super().retrieve(collection, ids, with_payload, with_vector)
        # A message cannot say that it has no payload, but for an empty one.
        return found if with_payload else [point | {"payload": None} for point in found]

    def payload(self, collection, call, target, payload=None, keys=None, key=None):
        self.payload_of(collection, call, self.selector(target), payload, keys, key)

    def call(self, collection, call, field=None, kind=None):
        """What changes nothing that anybody sees; flushes and merges come by themselves."""
        if call == "index":
            self.client.create_payload_index(collection, field, kind)
        elif call == "drop_index":
            self.client.delete_payload_index(collection, field)
            if field in NEEDED:
                self.client.create_payload_index(collection, field, INDEXES.get(field, NEEDED[field]))
