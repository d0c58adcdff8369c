#!/usr/bin/env python3
"""Does Qdrant's own Python client get along with `vdb serve` over REST?

Usage: qdrant_rest.py VDB, where VDB is the command, and the package `qdrant-client` is installed. Serves a new database in a
temporary directory, does with it what programs do, and stops it.
"""

import contextlib
import json
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import UnexpectedResponse


@contextlib.contextmanager
def served(command, directory, *options):
    """The address of a server, which ends with the block."""
    args = [command, "--json", "--quiet", "serve", str(directory / "db"), "--http-port", "0", "--grpc-port", "0", *options]
    with subprocess.Popen(args, stdout=subprocess.PIPE, text=True) as server:
        try:
            yield json.loads(server.stdout.readline())["rest"]
        finally:
            server.terminate()
        assert server.wait(timeout=60) == 0, "the server did not end well"


def refused(status, call, *args, **options):
    """Calls what must be refused, and gives the text of the refusal."""
    try:
        call(*args, **options)
    except UnexpectedResponse as error:
        assert error.status_code == status, (error.status_code, error.content)
        return json.loads(error.content)["status"]["error"]
    raise AssertionError("was not refused")


def collections(client):
    """Collections and aliases come and go."""
    assert not client.collection_exists("birds")
    assert client.create_collection(
        "birds",
        vectors_config=models.VectorParams(size=4, distance=models.Distance.COSINE),
        hnsw_config=models.HnswConfigDiff(m=32),
    )
    refused(409, client.create_collection, "birds", vectors_config={})
    assert [c.name for c in client.get_collections().collections] == ["birds"]
    info = client.get_collection("birds")
    assert info.status == models.CollectionStatus.GREEN
    assert info.config.params.vectors.size == 4 and info.config.hnsw_config.m == 32
    assert client.update_collection("birds", optimizers_config=models.OptimizersConfigDiff(indexing_threshold=7))
    assert client.get_collection("birds").config.optimizer_config.indexing_threshold == 7
    alias = models.CreateAlias(collection_name="birds", alias_name="flyers")
    assert client.update_collection_aliases([models.CreateAliasOperation(create_alias=alias)])
    assert client.get_aliases().aliases[0].alias_name == "flyers"
    assert "doesn't exist" in refused(404, client.get_collection, "fish")


def points(client):
    """Points are written, read, and changed."""
    names = ["owl", "hawk", "wren", "owl"]
    result = client.upsert(
        "birds",
        points=[
            models.PointStruct(id=i, vector=[1.0, i / 10, 0.0, 0.1], payload={"name": name, "n": i, "tags": [name]})
            for i, name in enumerate(names)
        ],
    )
    assert result.status == models.UpdateStatus.COMPLETED and result.operation_id >= 1
    uuid = "c56a4180-65aa-42ec-a945-5fd21dec0538"
    client.upsert("birds", points=models.Batch(ids=[uuid], vectors=[[0.0, 0.0, 1.0, 0.0]]))
    assert client.count("birds").count == 5
    found = client.retrieve("flyers", ids=[2, uuid], with_vectors=True)
    assert [p.id for p in found] == [2, uuid] and len(found[0].vector) == 4
    page, offset = client.scroll("birds", limit=3)
    assert [p.id for p in page] == [0, 1, 2] and offset == 3
    owls = models.Filter(must=[models.FieldCondition(key="name", match=models.MatchValue(value="owl"))])
    page, offset = client.scroll("birds", scroll_filter=owls, with_payload=["n"])
    assert [p.payload for p in page] == [{"n": 0}, {"n": 3}] and offset is None
    client.set_payload("birds", payload={"seen": True}, points=[1])
    client.overwrite_payload("birds", payload={"only": 1}, points=[2])
    client.delete_payload("birds", keys=["tags"], points=owls)
    client.clear_payload("birds", points_selector=[uuid])
    by_id = {p.id: p.payload for p in client.retrieve("birds", ids=[0, 1, 2, uuid])}
    assert by_id[1]["seen"] and by_id[2] == {"only": 1} and "tags" not in by_id[0] and by_id[uuid] == {}
    client.update_vectors("birds", points=[models.PointVectors(id=2, vector=[0.0, 1.0, 0.0, 0.0])])
    client.batch_update_points(
        "birds",
        update_operations=[
            models.SetPayloadOperation(set_payload=models.SetPayload(payload={"batch": 1}, points=[3])),
            models.DeleteOperation(delete=models.PointIdsList(points=[uuid])),
        ],
    )
    assert client.count("birds").count == 4
    assert "expected dim: 4, got 1" in refused(
        400, client.upsert, "birds", points=[models.PointStruct(id=9, vector=[1.0])]
    )
    assert "No point with id 77 found" in refused(404, client.set_payload, "birds", payload={"a": 1}, points=[77])


def queries(client):
    """Queries of every kind are answered."""
    near = client.query_points("birds", query=[1.0, 0.0, 0.0, 0.1], limit=2, with_payload=True).points
    assert [p.id for p in near] == [0, 1] and near[0].payload["name"] == "owl" and near[0].score > 0.99
    assert client.query_points("birds", query=0, limit=1).points[0].id == 1
    owls = models.Filter(must=[models.FieldCondition(key="name", match=models.MatchAny(any=["owl"]))])
    assert [p.id for p in client.query_points("birds", query=[1, 0, 0, 0.1], query_filter=owls).points] == [0, 3]
    fused = client.query_points(
        "birds",
        prefetch=[models.Prefetch(query=[1.0, 0, 0, 0]), models.Prefetch(query=[0, 1.0, 0, 0])],
        query=models.FusionQuery(fusion=models.Fusion.RRF),
    )
    assert len(fused.points) == 4
    liked = models.RecommendQuery(recommend=models.RecommendInput(positive=[0], negative=[2]))
    assert client.query_points("birds", query=liked).points[0].id == 1
    score = models.FormulaQuery(formula=models.SumExpression(sum=["$score", "n"]), defaults={"n": 0})
    best = client.query_points("birds", prefetch=models.Prefetch(query=[1.0, 0, 0, 0]), query=score).points[0]
    assert best.id == 3
    groups = client.query_points_groups("birds", query=[1.0, 0, 0, 0], group_by="name", group_size=2).groups
    assert [g.id for g in groups] == ["owl", "hawk"] and len(groups[0].hits) == 2
    client.create_payload_index("birds", "n", models.PayloadSchemaType.INTEGER)
    client.create_payload_index("birds", "name", models.KeywordIndexParams(type="keyword", is_tenant=True))
    schema = client.get_collection("birds").payload_schema
    assert schema["n"].points == 3 and schema["name"].params.is_tenant
    page, _ = client.scroll("birds", order_by=models.OrderBy(key="n", direction=models.Direction.DESC))
    assert [p.id for p in page] == [3, 1, 0]
    assert [(h.value, h.count) for h in client.facet("birds", "name").hits] == [("owl", 2), ("hawk", 1)]
    assert len(client.search_matrix_pairs("birds", sample=3, limit=1).pairs) == 3
    client.delete_payload_index("birds", "n")


def snapshots(client, url):
    """Snapshots go out and come back."""
    made = client.create_snapshot("birds")
    assert [s.name for s in client.list_snapshots("birds")] == [made.name] and len(made.checksum) == 64
    with urllib.request.urlopen(f"{url}/collections/birds/snapshots/{made.name}") as answer:
        assert len(answer.read()) == made.size
    client.delete("birds", points_selector=models.FilterSelector(filter=models.Filter()))
    assert client.count("birds").count == 0
    return made


def recovery(client, directory, made):
    """A collection is what its snapshot was."""
    location = (directory / "db.snapshots" / "birds" / made.name).resolve().as_uri()
    assert client.recover_snapshot("birds", location, checksum=made.checksum)
    assert client.count("birds").count == 4
    assert client.delete_snapshot("birds", made.name)
    full = client.create_full_snapshot()
    assert [s.name for s in client.list_full_snapshots()] == [full.name]
    assert client.delete_full_snapshot(full.name)


def main():
    command = sys.argv[1]
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        with served(command, directory) as url:
            client = QdrantClient(url=url)
            collections(client)
            points(client)
            queries(client)
            recovery(client, directory, snapshots(client, url))
        # What was acknowledged is there when it is served again, and keys keep others out.
        with served(command, directory, "--api-key", "secret") as url:
            client = QdrantClient(url=url, api_key="secret")
            assert client.count("flyers").count == 4
            try:
                QdrantClient(url=url, check_compatibility=False).get_collections()
                raise AssertionError("opened without a key")
            except UnexpectedResponse as error:
                assert error.status_code == 401
            assert client.delete_collection("birds")
            assert not client.delete_collection("birds")
    print("the client gets along")


if __name__ == "__main__":
    main()
