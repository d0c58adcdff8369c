//! Of routes that read: points, pages, counts and queries.

use serde_json::json;

use super::{FORMAT, RANGE, refused};

#[tokio::test]
async fn reads() {
    const SHARD: &str = "Bad request: Shard key 7 does not exist!";
    refused(
        "POST",
        "/collections/c/points",
        vec![
            (json!({}), 400, FORMAT, "ids"),
            (json!({"ids": [-1]}), 400, FORMAT, ""),
            (
                json!({"ids": [1], "with_vector": ["none"]}),
                400,
                "Wrong input: Not existing vector name error: none",
                "",
            ),
            (
                json!({"ids": [1], "with_payload": {"other": []}}),
                400,
                FORMAT,
                "",
            ),
            (json!({"ids": [1], "shard_key": 7}), 400, SHARD, ""),
        ],
    )
    .await;
    refused(
        "POST",
        "/collections/c/points/scroll",
        vec![
            (
                json!({"limit": 0}),
                422,
                RANGE,
                "scroll_request.limit: value 0 invalid",
            ),
            (json!({"limit": -1}), 400, FORMAT, ""),
            (json!({"offset": "x"}), 400, FORMAT, ""),
            (
                json!({"order_by": "word"}),
                400,
                "Wrong input: No range index for `order_by` key: `word`",
                "",
            ),
            (
                json!({"order_by": "n", "offset": 1}),
                400,
                "Wrong input: Cannot use an `offset` when using `order_by`",
                "",
            ),
            (
                json!({"order_by": {"key": "n", "start_from": true}}),
                400,
                FORMAT,
                "",
            ),
            (json!({"order_by": {"key": "n["}}), 400, FORMAT, ""),
            (
                json!({"order_by": {"key": "n", "direction": "up"}}),
                400,
                FORMAT,
                "",
            ),
            (json!({"shard_key": {"target": 7, "fallback": 8}}), 400, SHARD, ""),
        ],
    )
    .await;
    refused(
        "POST",
        "/collections/c/points/count",
        vec![
            (json!({"exact": 1}), 400, FORMAT, ""),
            (
                json!({"filter": {"must": [{"slice": {"total": 0, "index": 0}}]}}),
                400,
                FORMAT,
                "",
            ),
            (
                json!({"filter": {"must": [{"slice": {"total": 2, "index": 2}}]}}),
                422,
                RANGE,
                "slice.index",
            ),
            (
                json!({"filter": {"min_should": {"conditions": [], "min_count": 0}}}),
                422,
                RANGE,
                "min_count",
            ),
            (
                json!({"filter": {"must": [{"key": "a", "match": {"value": 1.5}}]}}),
                400,
                FORMAT,
                "",
            ),
            (
                json!({"filter": {"must": [{"key": "", "match": {"value": 1}}]}}),
                400,
                FORMAT,
                "",
            ),
            (
                json!({"filter": {"must": [{"key": "a", "range": {"gt": "then"}}]}}),
                400,
                FORMAT,
                "",
            ),
            (json!({"shard_key": 7}), 400, SHARD, ""),
        ],
    )
    .await;
    refused(
        "POST",
        "/collections/c/facet",
        vec![
            (
                json!({"key": "word"}),
                400,
                "Wrong input: No appropriate index for faceting: `word`",
                "",
            ),
            (
                json!({"key": "n", "limit": 0}),
                422,
                RANGE,
                "limit: value 0 invalid",
            ),
            (json!({"key": "n", "exact": "yes"}), 400, FORMAT, ""),
            (json!({"key": "a..b"}), 400, FORMAT, "a..b"),
        ],
    )
    .await;
    for path in ["pairs", "offsets"] {
        refused(
            "POST",
            &format!("/collections/c/points/search/matrix/{path}"),
            vec![
                (
                    json!({"sample": 1}),
                    422,
                    RANGE,
                    "sample: value 1 invalid, must be 2 or larger",
                ),
                (json!({"limit": 0}), 422, RANGE, "limit: value 0 invalid"),
                (
                    json!({"using": "none"}),
                    400,
                    "Wrong input: Not existing vector name error: none",
                    "",
                ),
                (json!({"using": "s", "shard_key": 7}), 400, SHARD, ""),
            ],
        )
        .await;
    }
}

#[tokio::test]
async fn queries() {
    const BAD: &str = "Bad request: ";
    const WRONG: &str = "Wrong input: ";
    let two = json!([{"query": [1, 0]}, {"query": [0, 1]}]);
    refused(
        "POST",
        "/collections/c/points/query",
        vec![
            (json!({"limit": 0}), 422, RANGE, "internal.limit: value 0 invalid"),
            (json!({"query": [1, 0], "params": {"hnsw_ef": 0}}), 422, RANGE, "internal.params.hnsw_ef"),
            (json!({"query": [1, 0], "params": {"quantization": {"oversampling": 0.5}}}), 422, RANGE, "oversampling"),
            (json!({"query": [1, 0], "params": {"acorn": {"max_selectivity": 2}}}), 422, RANGE, "max_selectivity"),
            (json!({"query": [1, 0], "filter": {"must": [{"key": "a"}]}}), 422, RANGE, "internal.filter.must[0]: At least one field condition must be specified"),
            (json!({"prefetch": {"query": [1, 0], "filter": {"should": {"key": "a"}}}, "query": [1, 0]}), 422, RANGE, "internal.prefetch[0].filter.should: At least one"),
            (json!({"query": [1, 0], "params": {"idf": {"corpus": {"must": [{"key": "a"}]}}}}), 422, RANGE, "internal.params.idf.corpus.must[0]: "),
            (json!({"query": [1, 0], "params": {"idf": "global"}}), 400, WRONG, ""),
            (json!({"query": []}), 400, "Wrong input: Vector dimension error: ", ""),
            (json!({"query": [1, 0], "using": "none"}), 400, "Wrong input: Not existing vector name error: none", ""),
            (json!({"query": {"indices": [1, 1], "values": [1, 1]}, "using": "s"}), 422, RANGE, "unique"),
            (json!({"query": 9}), 404, "Not found: No point with id 9 found", ""),
            (json!({"query": 1, "using": "other"}), 404, "Not found: Vector with name \"other\" for point", ""),
            (json!({"query": 1, "lookup_from": {"collection": "none"}}), 404, "Not found: Collection none not found", ""),
            (json!({"query": "nothing"}), 400, FORMAT, ""),
            (json!({"query": {}}), 400, FORMAT, ""),
            (json!({"query": {"other": 1}}), 400, FORMAT, ""),
            (json!({"query": {"recommend": {}}}), 422, RANGE, "At least one positive or negative"),
            (json!({"query": {"recommend": {"negative": [1]}}}), 400, WRONG, "positive"),
            (json!({"query": {"fusion": "rrf"}}), 400, WRONG, "fusion"),
            (json!({"query": {"formula": 1}}), 400, WRONG, "formula"),
            (json!({"prefetch": two, "query": {"fusion": "rrf"}, "using": "other"}), 400, BAD, "'using'"),
            (json!({"prefetch": two, "query": {"rrf": {"k": 0}}}), 422, RANGE, "internal.query.rrf.k"),
            (json!({"prefetch": two, "query": {"rrf": {"weights": [1]}}}), 400, WRONG, "weight"),
            (json!({"prefetch": two, "query": {"formula": "nothing"}}), 400, WRONG, "nothing"),
            (json!({"prefetch": two, "query": {"formula": {"div": {"left": 1, "right": 0}}}}), 400, WRONG, ""),
            (json!({"prefetch": two, "query": {"formula": {"max": []}}}), 400, WRONG, "max"),
            (json!({"prefetch": two}), 400, BAD, "A query is needed to merge the prefetches"),
            (json!({"prefetch": {"prefetch": two}, "query": [1, 0]}), 400, BAD, "A query is needed to merge"),
            (json!({"score_threshold": 1}), 400, BAD, "A query is needed to use the score_threshold"),
            (json!({"query": {"order_by": "n"}, "score_threshold": 1}), 400, BAD, "score_threshold"),
            (json!({"query": {"order_by": "word"}}), 400, "Wrong input: No range index for `order_by` key: `word`", ""),
            (json!({"query": {"sample": "ordered"}}), 400, FORMAT, ""),
            (json!({"query": {"nearest": [1, 0], "mmr": {"diversity": 2}}}), 422, RANGE, "internal.query.mmr.diversity"),
            (json!({"query": {"nearest": [1, 0], "mmr": {"candidates_limit": 16_385}}}), 422, RANGE, "candidates_limit"),
            (
                json!({"query": {"relevance_feedback": {"target": 1, "feedback": [], "strategy": {"naive": {"a": 1, "b": 1, "c": 1}}}}}),
                422,
                RANGE,
                "feedback",
            ),
            (json!({"query": [1, 0], "shard_key": "k"}), 400, "Bad request: Shard key \"k\" does not exist!", ""),
        ],
    )
    .await;
    refused(
        "POST",
        "/collections/c/points/query/batch",
        vec![
            (json!({}), 400, FORMAT, "searches"),
            (
                json!({"searches": [{}, {"limit": 0}]}),
                422,
                RANGE,
                "searches[1].internal.limit: value 0 invalid",
            ),
            (
                json!({"searches": [{}, {"query": 9}]}),
                404,
                "Not found: No point with id 9 found",
                "",
            ),
        ],
    )
    .await;
    refused(
        "POST",
        "/collections/c/points/query/groups",
        vec![
            (json!({"query": [1, 0]}), 400, FORMAT, "group_by"),
            (json!({"group_by": ""}), 400, FORMAT, "not a payload path"),
            (
                json!({"group_by": "n", "limit": 0}),
                422,
                RANGE,
                "search_group_request.group_request.limit: ",
            ),
            (
                json!({"group_by": "n", "group_size": 0}),
                422,
                RANGE,
                "search_group_request.group_request.group_size: ",
            ),
            (
                json!({"group_by": "n", "with_lookup": "none"}),
                404,
                "Not found: Collection none not found",
                "",
            ),
            (
                json!({"group_by": "n", "with_lookup": {"collection": "no/ne"}}),
                404,
                "Not found: Collection no/ne not found",
                "",
            ),
            (json!({"group_by": "a b"}), 400, FORMAT, "a b"),
        ],
    )
    .await;
    refused(
        "POST",
        "/collections/c/points/search",
        vec![
            (json!({"vector": [1, 0]}), 400, FORMAT, "limit"),
            (
                json!({"vector": [1, 0], "limit": 0}),
                422,
                RANGE,
                "search_request.limit: value 0 invalid",
            ),
            (
                json!({"vector": [1], "limit": 1}),
                400,
                "Wrong input: Vector dimension error: ",
                "",
            ),
        ],
    )
    .await;
    refused(
        "POST",
        "/collections/c/points/recommend",
        vec![
            (
                json!({"limit": 1}),
                400,
                BAD,
                "At least one positive vector ID required",
            ),
            (
                json!({"negative": [1], "limit": 1}),
                400,
                BAD,
                "At least one positive vector ID required",
            ),
            (
                json!({"strategy": "best_score", "limit": 1}),
                400,
                BAD,
                "At least one positive or negative vector ID",
            ),
            (
                json!({"positive": [9], "limit": 1}),
                404,
                "Not found: No point with id 9 found",
                "",
            ),
        ],
    )
    .await;
    refused(
        "POST",
        "/collections/c/points/discover",
        vec![
            (
                json!({"limit": 1}),
                400,
                BAD,
                "target and/or context_pairs must be specified",
            ),
            (
                json!({"target": 1, "limit": 0}),
                422,
                RANGE,
                "discover_request.limit: value 0 invalid",
            ),
        ],
    )
    .await;
}
