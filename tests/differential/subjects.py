"""The two that are compared: ours behind the bridge, theirs in this process. Calls and answers have one form."""

import json
import subprocess
import uuid
from copy import deepcopy

from qdrant_client import QdrantClient, models
from qdrant_client.local.local_collection import LocalCollection

from drifts import avoid

# More than there are points.
ALL = 10_000


class Refused(Exception):
    """A call that was answered with an error."""


def plain(value):
    """A model as Qdrant's REST calls spell it."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json", by_alias=True, exclude_none=True)
    return value


class Ours:
    """The engine, in a process of its own."""

    def __init__(self, bridge):
        self.process = subprocess.Popen([bridge], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def call(self, collection, call, **parts):
        request = {"collection": collection, "call": call}
        request.update({name: plain(part) for name, part in parts.items() if part is not None})
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(f"the bridge ended ({self.process.wait()}) on {json.dumps(request)}")
        answer = json.loads(line)
        if "error" in answer:
            raise Refused(answer["error"])
        return answer["ok"]

    def close(self):
        self.process.stdin.close()
        return self.process.wait()

    def create(self, collection, vectors):
        self.call(collection, "create", vectors={name: plain(params) for name, params in vectors.items()})

    def upsert(self, collection, points, **options):
        # Not through `plain`: a null in a payload is a value.
        points = [{"id": point.id, "vector": vectors(point.vector), "payload": point.payload} for point in points]
        self.call(collection, "upsert", points=points, **options)

    def update_vectors(self, collection, points, **options):
        points = [{"id": point.id, "vector": vectors(point.vector)} for point in points]
        self.call(collection, "update_vectors", points=points, **options)

    def retrieve(self, collection, ids, **options):
        return self.call(collection, "retrieve", ids=ids, **options)

    def scroll(self, collection, **options):
        answer = self.call(collection, "scroll", **options)
        return answer["points"], answer["next"]

    def count(self, collection, filter=None):
        return self.call(collection, "count", filter=filter)

    def query(self, collection, **options):
        return self.call(collection, "query", **options)

    def query_groups(self, collection, **options):
        return self.call(collection, "query_groups", **options)

    def facet(self, collection, **options):
        return [tuple(hit) for hit in self.call(collection, "facet", **options)]

    def delete(self, collection, target):
        self.call(collection, "delete", **target)

    def delete_vectors(self, collection, names, target):
        self.call(collection, "delete_vectors", vectors=names, **target)

    def create_vector(self, collection, name, params):
        return self.call(collection, "create_vector", vector=name, params=params)

    def delete_vector(self, collection, name):
        return self.call(collection, "delete_vector", vector=name)

    def payload(self, collection, call, target, **parts):
        self.call(collection, call, **target, **parts)


def vectors(vector):
    """The vectors of a point as JSON has them."""
    return {name: plain(one) for name, one in vector.items()} if isinstance(vector, dict) else vector


def record(point):
    vector = point.vector
    if isinstance(vector, list):
        vector = {"": vector}
    return {"id": point.id, "payload": point.payload, "vector": vectors(vector)}


def scored(point):
    return record(point) | {"score": point.score, "order_value": point.order_value}


def both(a, b):
    """What passes both filters."""
    if a is None or b is None:
        return a or b
    return models.Filter(must=[a, b])


def pushed(prefetch, filter):
    """Prefetches that keep to a filter from above."""
    avoid("prefetch-filter")
    prefetch = deepcopy(prefetch)
    for one in prefetch:
        one.filter = both(one.filter, filter)
        if one.prefetch:
            one.prefetch = pushed(one.prefetch, one.filter)
    return prefetch


def examples(query, prefetch):
    """The ids among the vectors of a query and of all below it."""
    found = []

    def walk(value):
        if isinstance(value, list):
            for item in value:
                walk(item)
        elif isinstance(value, dict) and "indices" not in value:
            for part in value.values():
                walk(part)
        elif isinstance(value, (int, str)) and not isinstance(value, bool):
            found.append(value)

    for one in prefetch:
        found += examples(one.query, one.prefetch or [])
    for part in ["nearest", "recommend", "discover", "context", "relevance_feedback"]:
        inputs = getattr(query, part, None)
        if inputs is not None:
            inputs = {"nearest": inputs} if part == "nearest" else plain(inputs)
            if isinstance(inputs, dict):
                inputs.pop("strategy", None)
                inputs["feedback"] = [one["example"] for one in inputs.get("feedback", [])]
            walk(inputs)
    return found


def whole(query, prefetch, filter):
    """The filter and the prefetches of a query as the server understands them."""
    if not prefetch:
        return filter, None
    avoid("examples-of-prefetches")
    if ids := examples(query, prefetch):
        filter = both(filter, models.Filter(must_not=[models.HasIdCondition(has_id=ids)]))
    return filter, pushed(prefetch, filter)


def live_statistics(self, vector, name):
    """A sparse query with the weights that the points give it which are there and have the vector. In the place of the local
    mode's own."""
    avoid("idf-statistics")
    gone = self.deleted[: len(self.deleted_per_vector[name])] | self.deleted_per_vector[name]
    live = [set(of.indices) for of, is_gone in zip(self.sparse_vectors[name], gone) if not is_gone]
    frequency = lambda index: sum(index in indices for indices in live)
    values = [value * self._compute_idf(frequency(index), len(live)) for index, value in zip(vector.indices, vector.values)]
    return models.SparseVector(indices=vector.indices, values=values)


class Local:
    """The local mode of Qdrant's Python client."""

    def __init__(self):
        self.client = QdrantClient(":memory:")
        LocalCollection._rescore_idf = live_statistics

    def guarded(self, call):
        try:
            return call()
        except (ValueError, AssertionError, KeyError, TypeError) as error:
            raise Refused(f"{type(error).__name__}: {error}") from error

    def create(self, collection, vectors):
        sparse = {name: params for name, params in vectors.items() if isinstance(params, models.SparseVectorParams)}
        dense = {name: params for name, params in vectors.items() if name not in sparse}
        dense = dense[""] if list(dense) == [""] else dense
        self.client.create_collection(collection, vectors_config=dense, sparse_vectors_config=sparse or None)

    def create_vector(self, collection, name, params):
        if isinstance(params, models.SparseVectorParams):
            config = models.SparseVectorNameConfig(sparse=models.SparseVectorConfig(modifier=params.modifier))
        else:
            parts = {"size": params.size, "distance": params.distance, "multivector_config": params.multivector_config}
            config = models.DenseVectorNameConfig(dense=models.DenseVectorConfig(**parts))
        self.guarded(lambda: self.client.create_vector_name(collection, name, config))

    def delete_vector(self, collection, name):
        self.guarded(lambda: self.client.delete_vector_name(collection, name))

    def upsert(self, collection, points, update_mode=None, update_filter=None):
        mode = models.UpdateMode(update_mode) if update_mode else None
        options = {"update_filter": update_filter, "update_mode": mode}
        self.guarded(lambda: self.client.upsert(collection, deepcopy(points), **options))

    def update_vectors(self, collection, points, update_filter=None):
        self.guarded(lambda: self.client.update_vectors(collection, deepcopy(points), update_filter=update_filter))

    def retrieve(self, collection, ids, with_payload=True, with_vector=False):
        options = {"with_payload": with_payload, "with_vectors": with_vector}
        return [record(point) for point in self.client.retrieve(collection, ids, **options)]

    def scroll(self, collection, filter=None, limit=10, offset=None, with_payload=True, with_vector=False):
        points, following = self.guarded(
            lambda: self.client.scroll(
                collection,
                scroll_filter=filter,
                limit=limit,
                offset=offset,
                with_payload=with_payload,
                with_vectors=with_vector,
            )
        )
        return [record(point) for point in points], following

    def count(self, collection, filter=None):
        return self.guarded(lambda: int(self.client.count(collection, count_filter=filter).count))

    def whole(self, query, prefetch, filter):
        return whole(query, prefetch, filter)

    def query(self, collection, query=None, prefetch=None, filter=None, with_vector=False, **options):
        filter, prefetch = self.whole(query, prefetch, filter)
        found = self.guarded(
            lambda: self.client.query_points(
                collection,
                query=deepcopy(query),
                prefetch=prefetch,
                query_filter=filter,
                with_vectors=with_vector,
                **options,
            )
        )
        return [scored(point) for point in found.points]

    def query_groups(self, collection, query=None, prefetch=None, filter=None, **options):
        filter, prefetch = self.whole(query, prefetch, filter)
        found = self.guarded(
            lambda: self.client.query_points_groups(
                collection, query=deepcopy(query), prefetch=prefetch, query_filter=filter, **options
            )
        )
        return [{"id": group.id, "hits": [scored(hit) for hit in group.hits]} for group in found.groups]

    def facet(self, collection, key, filter=None, limit=10):
        found = self.guarded(lambda: self.client.facet(collection, key, facet_filter=filter, limit=limit))
        return [(hit.value, hit.count) for hit in found.hits]

    def selector(self, target):
        if "filter" in target:
            return models.FilterSelector(filter=target["filter"])
        return models.PointIdsList(points=target["points"])

    def delete(self, collection, target):
        self.guarded(lambda: self.client.delete(collection, self.selector(target)))

    def delete_vectors(self, collection, names, target):
        self.guarded(lambda: self.client.delete_vectors(collection, names, self.selector(target)))

    def payload(self, collection, call, target, payload=None, keys=None, key=None):
        if payload is not None:
            avoid("shared-values")
            for id in self.ids(collection, target):
                self.payload_of(collection, call, models.PointIdsList(points=[id]), deepcopy(payload), keys, key)
        else:
            self.payload_of(collection, call, self.selector(target), payload, keys, key)

    def ids(self, collection, target):
        if "filter" not in target:
            return target["points"]
        points, _ = self.scroll(collection, filter=target["filter"], limit=ALL, with_payload=False)
        return [point["id"] for point in points]

    def payload_of(self, collection, call, points, payload, keys, key):
        calls = {
            "set_payload": lambda: self.client.set_payload(collection, payload, points=points, key=key),
            "overwrite_payload": lambda: self.client.overwrite_payload(collection, payload, points=points),
            "delete_payload": lambda: self.client.delete_payload(collection, keys, points=points),
            "clear_payload": lambda: self.client.clear_payload(collection, points),
        }
        self.guarded(calls[call])


def id_key(id):
    """The order of ids: numbers, then UUIDs by their bytes."""
    return (0, id, b"") if isinstance(id, int) else (1, 0, uuid.UUID(id).bytes)
