"""One program for `qdrant-client`, played through REST and through gRPC, by whichever version of the client runs it.

    python python_client.py PATH_OF_VDB  a server of its own
    python python_client.py --local      the client's own mode in memory, to see whether the script is right

What the local mode cannot do (indexes, snapshots, settings) is played on a server only.
"""

import sys
import uuid

import numpy as np
from qdrant_client import QdrantClient, models

import server

M = models
UUID = "5c56c793-69f3-4fbf-87e6-c4bf54c28c26"


def raises(expected: str, call, *arguments, **named):
    """The call must fail with a message that holds `expected`."""
    try:
        call(*arguments, **named)
    except Exception as error:  # REST and gRPC raise unrelated classes
        # The text of an HTTP error is that of bytes, in which apostrophes are escaped.
        text = str(error).replace("\\'", "'").lower()
        assert expected.lower() in text, f"expected {expected!r} in: {error}"
        return
    raise AssertionError(f"no error, expected one with {expected!r}")


def near(found, expected, tolerance=1e-5):
    assert np.allclose(found, expected, atol=tolerance), f"{found} is not {expected}"


def ids(hits):
    return [hit.id for hit in hits]


def collections(client, local):
    client.create_collection("birds", vectors_config=M.VectorParams(size=4, distance=M.Distance.DOT))
    assert client.collection_exists("birds") and not client.collection_exists("fish")
    assert [c.name for c in client.get_collections().collections] == ["birds"]
    info = client.get_collection("birds")
    assert info.config.params.vectors.size == 4 and info.config.params.vectors.distance == M.Distance.DOT
    assert info.points_count == 0 and info.status == M.CollectionStatus.GREEN
    raises("exists", client.create_collection, "birds", vectors_config=M.VectorParams(size=4, distance=M.Distance.DOT))
    raises("not found" if local else "doesn't exist", client.get_collection, "fish")
    assert client.delete_collection("birds")
    assert not client.delete_collection("birds")

    client.create_collection(
        "two",
        vectors_config={
            "text": M.VectorParams(size=3, distance=M.Distance.COSINE),
            "image": M.VectorParams(size=2, distance=M.Distance.EUCLID),
        },
    )
    vectors = client.get_collection("two").config.params.vectors
    assert {name: (v.size, v.distance) for name, v in vectors.items()} == {
        "text": (3, M.Distance.COSINE),
        "image": (2, M.Distance.EUCLID),
    }
    create = M.CreateAliasOperation(create_alias=M.CreateAlias(collection_name="two", alias_name="both"))
    assert client.update_collection_aliases([create])
    assert [(a.alias_name, a.collection_name) for a in client.get_aliases().aliases] == [("both", "two")]
    assert [a.alias_name for a in client.get_collection_aliases("two").aliases] == ["both"]
    assert client.count("both").count == 0
    rename = M.RenameAliasOperation(rename_alias=M.RenameAlias(old_alias_name="both", new_alias_name="pair"))
    client.update_collection_aliases([rename])
    client.upsert("pair", [M.PointStruct(id=1, vector={"text": [3, 4, 0], "image": [1, 1]}), M.PointStruct(id=2, vector={"image": [4, 5]})])
    near(client.retrieve("two", [1], with_vectors=["text"])[0].vector["text"], [0.6, 0.8, 0])
    [a, b] = client.query_points("two", query=[1, 1], using="image").points
    assert (a.id, b.id) == (1, 2)
    near([a.score, b.score], [0, 5])
    assert ids(client.query_points("two", query=[0, 1, 0], using="text").points) == [1]
    client.update_vectors("two", [M.PointVectors(id=2, vector={"text": [0, 1, 0]})])
    assert ids(client.query_points("two", query=[0, 1, 0], using="text").points) == [2, 1]
    client.delete_vectors("two", vectors=["image"], points=[2])
    assert sorted(client.retrieve("two", [2], with_vectors=True)[0].vector) == ["text"]
    has = M.Filter(must=[M.HasVectorCondition(has_vector="image")])
    assert client.count("two", count_filter=has).count == 1
    client.delete_collection("two")


POINTS = [
    (1, [1.0, 0.0, 0.0, 0.0], {"city": "Berlin", "n": 1, "price": 1.5, "tags": ["a", "b"], "at": "2024-01-01T00:00:00Z", "loc": {"lon": 13.4, "lat": 52.5}}),
    (2, [0.0, 1.0, 0.0, 0.0], {"city": "London", "n": 2, "price": 2.5, "tags": ["b"], "at": "2024-02-01T00:00:00Z", "loc": {"lon": -0.1, "lat": 51.5}}),
    (3, [0.0, 0.0, 1.0, 0.0], {"city": "Moscow", "n": 3, "price": 9.0, "tags": [], "nested": {"deep": [1, {"x": None}]}}),
    (4, [0.9, 0.1, 0.0, 0.0], {"city": "Berlin", "n": 4, "flag": True, "people": [{"age": 30, "sex": "f"}, {"age": 40, "sex": "m"}]}),
    (UUID, [0.5, 0.5, 0.5, 0.5], {"city": "Ørsted 東京", "n": 5, "flag": False, "none": None}),
]


def fill(client, name="cities"):
    client.create_collection(name, vectors_config=M.VectorParams(size=4, distance=M.Distance.COSINE))
    done = client.upsert(name, [M.PointStruct(id=i, vector=v, payload=p) for i, v, p in POINTS], wait=True)
    assert done.status == M.UpdateStatus.COMPLETED


def points(client, local):
    fill(client)
    assert client.count("cities").count == len(POINTS)
    [berlin] = client.retrieve("cities", [1], with_vectors=True)
    assert berlin.payload == POINTS[0][2], berlin.payload
    near(berlin.vector, POINTS[0][1])
    assert ids(client.retrieve("cities", [UUID, 77, 2])) == [UUID, 2] or local
    page, after = client.scroll("cities", limit=3, with_payload=False)
    assert ids(page) == [1, 2, 3] and after == 4 and not page[0].payload
    page, after = client.scroll("cities", limit=3, offset=after, with_payload=["city"])
    assert ids(page) == [4, UUID] and after is None and page[0].payload == {"city": "Berlin"}

    client.set_payload("cities", payload={"new": 1, "n": 10}, points=[1])
    client.set_payload("cities", payload={"y": 2}, key="nested", points=[3])
    client.overwrite_payload("cities", payload={"only": "this"}, points=[2])
    client.delete_payload("cities", keys=["flag", "people"], points=[4])
    payload = {p.id: p.payload for p in client.scroll("cities", limit=10)[0]}
    assert payload[1]["new"] == 1 and payload[1]["n"] == 10 and payload[1]["city"] == "Berlin"
    assert payload[3]["nested"] == {"deep": [1, {"x": None}], "y": 2}, payload[3]
    assert payload[2] == {"only": "this"} and sorted(payload[4]) == ["city", "n"]
    client.clear_payload("cities", points_selector=[2])
    assert client.retrieve("cities", [2])[0].payload == {}
    client.delete("cities", points_selector=[1, 99])
    by_filter = M.Filter(must=[M.FieldCondition(key="n", range=M.Range(gte=5))])
    client.delete("cities", points_selector=M.FilterSelector(filter=by_filter))
    assert ids(client.scroll("cities", limit=10)[0]) == [2, 3, 4]
    client.batch_update_points(
        "cities",
        update_operations=[
            M.UpsertOperation(upsert=M.PointsList(points=[M.PointStruct(id=7, vector=[1, 1, 1, 1], payload={"a": 1})])),
            M.SetPayloadOperation(set_payload=M.SetPayload(payload={"b": 2}, points=[7])),
            M.DeleteOperation(delete=M.PointIdsList(points=[2, 3])),
        ],
    )
    assert {p.id: p.payload for p in client.scroll("cities", limit=10)[0]}[7] == {"a": 1, "b": 2}
    assert client.count("cities").count == 2
    if not local:
        raises("expected dim: 4, got 2", client.upsert, "cities", [M.PointStruct(id=1, vector=[1, 2])])
        raises("not existing vector name", client.query_points, "cities", query=[1, 2, 3, 4], using="nope")
        raises("doesn't exist", client.upsert, "nowhere", [M.PointStruct(id=1, vector=[1, 2, 3, 4])])
    client.delete_collection("cities")


def filters(client, local):
    fill(client)

    def matching(condition):
        return sorted(map(str, ids(client.scroll("cities", scroll_filter=M.Filter(must=[condition]), limit=10)[0])))

    field = M.FieldCondition
    cases = [
        (field(key="city", match=M.MatchValue(value="Berlin")), [1, 4]),
        (field(key="city", match=M.MatchAny(any=["London", "Moscow"])), [2, 3]),
        (field(key="city", match=M.MatchExcept(**{"except": ["Berlin"]})), [2, 3, UUID]),
        (field(key="tags", match=M.MatchValue(value="b")), [1, 2]),
        (field(key="tags[]", match=M.MatchValue(value="a")), [1]),
        (field(key="n", range=M.Range(gt=1, lte=3)), [2, 3]),
        (field(key="n", match=M.MatchValue(value=4)), [4]),
        (field(key="price", range=M.Range(lt=2)), [1]),
        (field(key="flag", match=M.MatchValue(value=False)), [UUID]),
        (field(key="at", range=M.DatetimeRange(gt="2024-01-15T00:00:00Z")), [2]),
        (field(key="loc", geo_radius=M.GeoRadius(center=M.GeoPoint(lon=13.4, lat=52.5), radius=1000.0)), [1]),
        (field(key="loc", geo_bounding_box=M.GeoBoundingBox(top_left=M.GeoPoint(lon=-1, lat=52), bottom_right=M.GeoPoint(lon=1, lat=51))), [2]),
        (field(key="tags", values_count=M.ValuesCount(gte=1)), [1, 2]),
        (M.IsEmptyCondition(is_empty=M.PayloadField(key="tags")), [3, 4, UUID]),
        (M.IsNullCondition(is_null=M.PayloadField(key="none")), [UUID]),
        (M.HasIdCondition(has_id=[2, UUID, 9]), [2, UUID]),
        (M.NestedCondition(nested=M.Nested(key="people", filter=M.Filter(must=[field(key="age", range=M.Range(gte=40)), field(key="sex", match=M.MatchValue(value="m"))]))), [4]),
        (M.NestedCondition(nested=M.Nested(key="people", filter=M.Filter(must=[field(key="age", range=M.Range(gte=40)), field(key="sex", match=M.MatchValue(value="f"))]))), []),
        (M.Filter(should=[field(key="n", match=M.MatchValue(value=1)), field(key="n", match=M.MatchValue(value=2))], must_not=[field(key="city", match=M.MatchValue(value="London"))]), [1]),
        (M.Filter(min_should=M.MinShould(conditions=[field(key="n", range=M.Range(gte=2)), field(key="city", match=M.MatchValue(value="Berlin")), field(key="flag", match=M.MatchValue(value=True))], min_count=2)), [4]),
    ]
    for round_ in ("no index", "index"):
        for condition, expected in cases:
            found = matching(condition)
            assert found == sorted(map(str, expected)), f"{round_}: {condition}: {found}, expected {expected}"
        if local:
            break
        for key, kind in (("city", "keyword"), ("n", "integer"), ("price", "float"), ("flag", "bool"), ("at", "datetime"), ("loc", "geo"), ("tags", "keyword")):
            client.create_payload_index("cities", key, field_schema=kind, wait=True)
    if not local:
        schema = client.get_collection("cities").payload_schema
        assert schema["city"].data_type == M.PayloadSchemaType.KEYWORD and schema["city"].points == 5, schema
        client.create_payload_index("cities", "title", field_schema=M.TextIndexParams(type="text", tokenizer=M.TokenizerType.WORD, lowercase=True), wait=True)
        client.set_payload("cities", payload={"title": "The Quick brown fox"}, points=[1])
        client.set_payload("cities", payload={"title": "quickly done"}, points=[2])
        assert matching(field(key="title", match=M.MatchText(text="QUICK fox"))) == ["1"]
        client.delete_payload_index("cities", "price")
        assert "price" not in client.get_collection("cities").payload_schema
        facet = client.facet("cities", key="city")
        assert [(h.value, h.count) for h in facet.hits][0] == ("Berlin", 2), facet
        ordered, _ = client.scroll("cities", order_by=M.OrderBy(key="n", direction=M.Direction.DESC), limit=2)
        assert ids(ordered) == [UUID, 4]
    client.delete_collection("cities")


def queries(client, local):
    fill(client)
    q = lambda query, **more: client.query_points("cities", query=query, **more).points
    hits = q([1, 0, 0, 0], limit=3, with_payload=["city"], with_vectors=True)
    assert ids(hits) == [1, 4, UUID], hits
    near([h.score for h in hits], [1, 0.9 / np.hypot(0.9, 0.1), 0.5])
    assert hits[0].payload == {"city": "Berlin"} and len(hits[0].vector) == 4
    assert ids(q([1, 0, 0, 0], score_threshold=0.6)) == [1, 4]
    assert ids(q([1, 0, 0, 0], limit=2, offset=1)) == [4, UUID]
    assert ids(q(1, limit=1)) == [4]
    assert ids(q(np.array([0, 1, 0, 0], dtype=np.float32), limit=1)) == [2]
    two = M.Filter(must=[M.FieldCondition(key="n", range=M.Range(gte=2))])
    assert ids(q([1, 0, 0, 0], query_filter=two, limit=1)) == [4]
    assert len(q(None, limit=3)) == 3
    near([h.score for h in q([1, 0, 0, 0], limit=1, search_params=M.SearchParams(exact=True, hnsw_ef=32))], [1])
    recommend = M.RecommendQuery(recommend=M.RecommendInput(positive=[1], negative=[3], strategy=M.RecommendStrategy.AVERAGE_VECTOR))
    assert ids(q(recommend))[0] == 4
    best = M.RecommendQuery(recommend=M.RecommendInput(positive=[1, 2], strategy=M.RecommendStrategy.BEST_SCORE))
    assert ids(q(best))[0] == 4
    discover = M.DiscoverQuery(discover=M.DiscoverInput(target=[1, 0, 0, 0], context=[M.ContextPair(positive=1, negative=3)]))
    assert ids(q(discover))[0] == 4
    context = M.ContextQuery(context=[M.ContextPair(positive=1, negative=3)])
    assert all(h.score <= 0 for h in q(context))
    prefetch = [M.Prefetch(query=[1, 0, 0, 0], limit=3), M.Prefetch(query=[0, 1, 0, 0], limit=3)]
    fused = q(M.FusionQuery(fusion=M.Fusion.RRF), prefetch=prefetch)
    assert len(fused) >= 3 and all(a.score >= b.score for a, b in zip(fused, fused[1:]))
    assert len(q(M.FusionQuery(fusion=M.Fusion.DBSF), prefetch=prefetch)) == len(fused)
    assert len(q(M.SampleQuery(sample=M.Sample.RANDOM), limit=4)) == 4
    formula = M.FormulaQuery(formula=M.SumExpression(sum=["$score", M.MultExpression(mult=[10.0, "n"])]), defaults={"n": 0})
    assert ids(q(formula, prefetch=M.Prefetch(query=[1, 0, 0, 0], limit=5), limit=2)) == [UUID, 4]
    groups = client.query_points_groups("cities", group_by="city", query=[1, 0, 0, 0], limit=2, group_size=2).groups
    assert [(g.id, ids(g.hits)) for g in groups][0] == ("Berlin", [1, 4]), groups
    first, second = client.query_batch_points("cities", requests=[M.QueryRequest(query=[1, 0, 0, 0], limit=1), M.QueryRequest(query=[0, 1, 0, 0], limit=1)])
    assert (ids(first.points), ids(second.points)) == ([1], [2])
    pairs = client.search_matrix_pairs("cities", sample=5, limit=2).pairs
    assert len(pairs) == 10 and all(p.a != p.b for p in pairs)
    if not local:
        raises("no point with id 99 found", q, 99)
    client.delete_collection("cities")


def kinds(client, local):
    """Sparse vectors, multivectors, elements of fewer bytes."""
    client.create_collection(
        "kinds",
        vectors_config={"late": M.VectorParams(size=2, distance=M.Distance.DOT, multivector_config=M.MultiVectorConfig(comparator=M.MultiVectorComparator.MAX_SIM))},
        sparse_vectors_config={"words": M.SparseVectorParams(), "rare": M.SparseVectorParams(modifier=M.Modifier.IDF)},
    )
    sparse = lambda **values: M.SparseVector(indices=[int(k[1:]) for k in values], values=list(values.values()))
    client.upsert(
        "kinds",
        [
            M.PointStruct(id=1, vector={"late": [[1, 0], [0, 1]], "words": sparse(t1=1.0, t5=2.0), "rare": sparse(t1=1.0)}),
            M.PointStruct(id=2, vector={"late": [[0.5, 0.5]], "words": sparse(t5=1.0), "rare": sparse(t1=1.0, t2=1.0)}),
            M.PointStruct(id=3, vector={"words": sparse(t9=4.0)}),
        ],
    )
    hits = client.query_points("kinds", query=sparse(t5=1.0, t9=0.5), using="words").points
    assert [(h.id, h.score) for h in hits if h.score == 2.0] and ids(hits)[2] == 2, hits
    hits = client.query_points("kinds", query=[[1, 0], [0, 1]], using="late").points
    near([h.score for h in hits], [2, 1])
    hits = client.query_points("kinds", query=sparse(t2=1.0, t1=1.0), using="rare").points
    assert ids(hits) == [2, 1]
    near(hits[1].score, np.log((2 - 2 + 0.5) / (2 + 0.5) + 1), 1e-4)
    [point] = client.retrieve("kinds", [1], with_vectors=True)
    assert point.vector["words"].indices == [1, 5] and point.vector["late"] == [[1, 0], [0, 1]]
    client.delete_collection("kinds")
    if not local:
        client.create_collection("bytes", vectors_config=M.VectorParams(size=3, distance=M.Distance.EUCLID, datatype=M.Datatype.UINT8))
        client.upsert("bytes", [M.PointStruct(id=1, vector=[1, 2, 255])])
        assert client.retrieve("bytes", [1], with_vectors=True)[0].vector == [1, 2, 255]
        client.delete_collection("bytes")


def settings(client, local):
    if local:
        return
    client.create_collection(
        "set",
        vectors_config=M.VectorParams(size=4, distance=M.Distance.COSINE, on_disk=True),
        hnsw_config=M.HnswConfigDiff(m=24, ef_construct=80),
        quantization_config=M.ScalarQuantization(scalar=M.ScalarQuantizationConfig(type=M.ScalarType.INT8, always_ram=True)),
        on_disk_payload=False,
        optimizers_config=M.OptimizersConfigDiff(indexing_threshold=0),
    )
    config = client.get_collection("set").config
    assert config.hnsw_config.m == 24 and config.hnsw_config.ef_construct == 80
    assert config.quantization_config.scalar.type == M.ScalarType.INT8 and config.params.vectors.on_disk
    assert config.optimizer_config.indexing_threshold == 0
    client.update_collection("set", hnsw_config=M.HnswConfigDiff(m=32), optimizers_config=M.OptimizersConfigDiff(indexing_threshold=20000))
    config = client.get_collection("set").config
    assert config.hnsw_config.m == 32 and config.hnsw_config.ef_construct == 80
    assert config.optimizer_config.indexing_threshold == 20000
    client.delete_collection("set")


def bulk(client, local):
    size, count = 16, 3000
    rng = np.random.default_rng(7)
    data = rng.normal(size=(count, size)).astype(np.float32)
    client.create_collection("bulk", vectors_config=M.VectorParams(size=size, distance=M.Distance.COSINE))
    client.upload_collection("bulk", vectors=data, payload=({"k": i % 7} for i in range(count)), ids=range(count), batch_size=200, wait=True)
    assert client.count("bulk", exact=True).count == count
    unit = data / np.linalg.norm(data, axis=1, keepdims=True)
    for row in (0, 1234, 2999):
        found = client.query_points("bulk", query=data[row], limit=10, search_params=M.SearchParams(exact=True)).points
        assert ids(found) == list(np.argsort(-(unit @ unit[row]), kind="stable")[:10])
    seen, offset = [], None
    while True:
        page, offset = client.scroll("bulk", limit=700, offset=offset, with_payload=False)
        seen += ids(page)
        if offset is None:
            break
    assert seen == list(range(count))
    anonymous = [str(uuid.UUID(int=i)) for i in range(50)]
    client.upload_points("bulk", [M.PointStruct(id=i, vector=data[0].tolist()) for i in anonymous], wait=True)
    assert client.count("bulk").count == count + 50
    client.delete_collection("bulk")


def snapshots(client, local):
    if local:
        return
    fill(client, "kept")
    made = client.create_snapshot("kept")
    assert made.name in [s.name for s in client.list_snapshots("kept")] and made.size > 0
    assert client.delete_snapshot("kept", made.name)
    assert client.list_snapshots("kept") == []
    client.delete_collection("kept")


PARTS = (collections, points, filters, queries, kinds, settings, bulk, snapshots)


def play(name, client, local=False):
    failed = []
    for part in PARTS:
        try:
            part(client, local)
            print(f"{name}: {part.__name__} ok", flush=True)
        except Exception:
            import traceback

            traceback.print_exc()
            failed.append(part.__name__)
            for left in client.get_collections().collections:
                client.delete_collection(left.name)
    if failed:
        raise SystemExit(f"{name}: failed: {', '.join(failed)}")


def main():
    if sys.argv[1:] == ["--local"]:
        play("local", QdrantClient(":memory:"), local=True)
        return
    [binary] = sys.argv[1:]
    for prefer_grpc in (False, True):
        with server.running(binary) as it:
            client = QdrantClient(host="127.0.0.1", port=it.http_port, grpc_port=it.grpc_port, prefer_grpc=prefer_grpc, https=False, timeout=60)
            play("gRPC" if prefer_grpc else "REST", client)
            client.close()


if __name__ == "__main__":
    main()
