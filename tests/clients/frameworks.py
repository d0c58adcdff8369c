"""What people build on: LangChain, LlamaIndex and Haystack, each adding, searching, filtering and deleting.

    python frameworks.py PATH_OF_VDB     a server of its own, over REST and over gRPC
    python frameworks.py --local         the client's own mode in memory, to see whether the script is right
"""

import os
import sys

os.environ.setdefault("HAYSTACK_TELEMETRY_ENABLED", "False")

from qdrant_client import QdrantClient, models

import server

WORDS = ["owl", "hawk", "wren", "pike", "carp", "trout"]


def embed(text: str) -> list[float]:
    """A vector that only depends on the text: how often each of eight groups of letters occurs, and a little of each."""
    counts = [0.1] * 8
    for letter in text.lower():
        counts[ord(letter) % 8] += 1.0
    return counts


def langchain(connect) -> None:
    from langchain_core.documents import Document
    from langchain_core.embeddings import Embeddings
    from langchain_qdrant import QdrantVectorStore

    class Letters(Embeddings):
        def embed_documents(self, texts):
            return [embed(text) for text in texts]

        def embed_query(self, text):
            return embed(text)

    client = connect()
    client.create_collection("langchain", vectors_config=models.VectorParams(size=8, distance=models.Distance.COSINE))
    store = QdrantVectorStore(client=client, collection_name="langchain", embedding=Letters())
    documents = [Document(page_content=word, metadata={"number": i, "bird": i < 3}) for i, word in enumerate(WORDS)]
    ids = store.add_documents(documents)
    assert len(set(ids)) == len(WORDS)
    [found] = store.similarity_search("wren", k=1)
    assert found.page_content == "wren" and found.metadata["number"] == 2, found
    birds = models.Filter(must=[models.FieldCondition(key="metadata.bird", match=models.MatchValue(value=True))])
    hits = store.similarity_search_with_score("carp", k=10, filter=birds)
    assert sorted(d.page_content for d, _ in hits) == ["hawk", "owl", "wren"], hits
    assert all(a[1] >= b[1] for a, b in zip(hits, hits[1:])), hits
    diverse = store.max_marginal_relevance_search("owl", k=3, fetch_k=6)
    assert len(diverse) == 3 and diverse[0].page_content == "owl", diverse
    assert [d.page_content for d in store.get_by_ids([ids[4]])] == ["carp"]
    assert store.delete([ids[2]])
    assert "wren" not in [d.page_content for d in store.similarity_search("wren", k=10)]
    client.close()


def llama_index(connect) -> None:
    from llama_index.core.schema import NodeRelationship, RelatedNodeInfo, TextNode
    from llama_index.core.vector_stores import FilterOperator, MetadataFilter, MetadataFilters, VectorStoreQuery
    from llama_index.vector_stores.qdrant import QdrantVectorStore

    client = connect()
    store = QdrantVectorStore(client=client, collection_name="llama")
    nodes = [
        TextNode(
            text=word,
            embedding=embed(word),
            metadata={"number": i, "kind": "bird" if i < 3 else "fish"},
            relationships={NodeRelationship.SOURCE: RelatedNodeInfo(node_id=f"doc-{i % 2}")},
        )
        for i, word in enumerate(WORDS)
    ]
    store.add(nodes)
    answer = store.query(VectorStoreQuery(query_embedding=embed("trout"), similarity_top_k=1))
    assert [n.get_content() for n in answer.nodes] == ["trout"], answer
    fish = MetadataFilters(
        filters=[
            MetadataFilter(key="kind", value="fish"),
            MetadataFilter(key="number", value=4, operator=FilterOperator.GTE),
        ]
    )
    answer = store.query(VectorStoreQuery(query_embedding=embed("pike"), similarity_top_k=9, filters=fish))
    assert sorted(n.get_content() for n in answer.nodes) == ["carp", "trout"], answer
    some = MetadataFilters(filters=[MetadataFilter(key="number", value=[0, 5], operator=FilterOperator.IN)])
    assert sorted(n.get_content() for n in store.get_nodes(filters=some)) == ["owl", "trout"]
    store.delete("doc-1")
    left = store.query(VectorStoreQuery(query_embedding=embed("hawk"), similarity_top_k=9))
    assert sorted(n.get_content() for n in left.nodes) == ["carp", "owl", "wren"], left
    store.delete_nodes([nodes[0].node_id])
    assert store.get_nodes(node_ids=[nodes[0].node_id]) == []
    store.clear()
    client.close()


def haystack(connect_options) -> None:
    from haystack import Document
    from haystack.document_stores.types import DuplicatePolicy
    from haystack_integrations.components.retrievers.qdrant import QdrantEmbeddingRetriever
    from haystack_integrations.document_stores.qdrant import QdrantDocumentStore

    store = QdrantDocumentStore(index="haystack", embedding_dim=8, recreate_index=True, wait_result_from_api=True, **connect_options)
    documents = [Document(content=word, embedding=embed(word), meta={"number": i, "bird": i < 3}) for i, word in enumerate(WORDS)]
    assert store.write_documents(documents) == len(WORDS)
    assert store.count_documents() == len(WORDS)
    retriever = QdrantEmbeddingRetriever(document_store=store, top_k=1)
    [found] = retriever.run(query_embedding=embed("hawk"))["documents"]
    assert found.content == "hawk", found
    fish = {"field": "meta.number", "operator": ">=", "value": 3}
    hits = QdrantEmbeddingRetriever(document_store=store, top_k=9, filters=fish).run(query_embedding=embed("owl"))
    assert sorted(d.content for d in hits["documents"]) == ["carp", "pike", "trout"], hits
    either = {
        "operator": "OR",
        "conditions": [
            {"field": "meta.number", "operator": "==", "value": 0},
            {"field": "meta.number", "operator": "in", "value": [4, 5]},
        ],
    }
    assert sorted(d.content for d in store.filter_documents(either)) == ["carp", "owl", "trout"]
    changed = Document(id=documents[0].id, content="eagle", embedding=embed("eagle"), meta={"number": 0})
    store.write_documents([changed], policy=DuplicatePolicy.OVERWRITE)
    assert store.count_documents() == len(WORDS)
    assert [d.content for d in store.filter_documents({"field": "meta.number", "operator": "==", "value": 0})] == ["eagle"]
    store.delete_documents([documents[1].id])
    assert store.count_documents() == len(WORDS) - 1


def play(name: str, connect, options) -> None:
    """Every framework once; `connect` makes a client, `options` say the same to Haystack, which makes its own."""
    for framework, argument in ((langchain, connect), (llama_index, connect), (haystack, options)):
        framework(argument)
        print(f"{name}: {framework.__name__} ok", flush=True)


def main() -> None:
    if sys.argv[1:] == ["--local"]:
        play("local", lambda: QdrantClient(":memory:"), {"location": ":memory:"})
        return
    [binary] = sys.argv[1:]
    for prefer_grpc in (False, True):
        with server.running(binary) as it:
            where = {"host": "127.0.0.1", "port": it.http_port, "grpc_port": it.grpc_port, "prefer_grpc": prefer_grpc, "https": False}
            play("gRPC" if prefer_grpc else "REST", lambda: QdrantClient(**where), where)


if __name__ == "__main__":
    main()
