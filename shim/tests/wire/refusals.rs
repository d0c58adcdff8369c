//! What is refused, with which code and in which words, by the client in the process and over the wire.

use qdrant_client::qdrant::{
    self as proto, CreateAliasBuilder, CreateFieldIndexCollectionBuilder, DeletePointsBuilder,
    FacetCountsBuilder, FieldType, Fusion, OrderByBuilder, PointsIdsList, PrefetchQueryBuilder, Query,
    QueryPointGroupsBuilder, QueryPointsBuilder, RecommendPointsBuilder, ScrollPointsBuilder,
    SetPayloadPointsBuilder, UpdateCollectionBuilder, UpdatePointVectorsBuilder, UpsertPointsBuilder,
};
use tonic::Code;

use super::fixture::{Both, same};

fn nobody() -> PointsIdsList {
    PointsIdsList { ids: Vec::new() }
}

#[track_caller]
fn is(refusal: (Code, String), code: Code, part: &str) {
    assert!(
        refusal.0 == code && refusal.1.contains(part),
        "{refusal:?}: {part}"
    );
}

#[tokio::test]
async fn writes_of_nothing() {
    let both = Both::with_birds().await;
    let empty = "Bad request: Empty update request";
    let upsert = UpsertPointsBuilder::new("birds", Vec::new());
    is(
        same!(both.upsert_points(upsert)).unwrap_err(),
        Code::InvalidArgument,
        empty,
    );
    let delete = DeletePointsBuilder::new("birds").points(nobody());
    is(
        same!(both.delete_points(delete)).unwrap_err(),
        Code::InvalidArgument,
        empty,
    );
    let set = SetPayloadPointsBuilder::new("birds", qdrant_client::Payload::new()).points_selector(nobody());
    is(
        same!(both.set_payload(set.clone())).unwrap_err(),
        Code::InvalidArgument,
        empty,
    );
    is(
        same!(both.overwrite_payload(set)).unwrap_err(),
        Code::InvalidArgument,
        empty,
    );
    let unselected = SetPayloadPointsBuilder::new("birds", qdrant_client::Payload::new());
    is(
        same!(both.set_payload(unselected)).unwrap_err(),
        Code::InvalidArgument,
        "points_selector",
    );
    let vectors = UpdatePointVectorsBuilder::new("birds", Vec::new());
    is(
        same!(both.update_vectors(vectors)).unwrap_err(),
        Code::InvalidArgument,
        "",
    );
    // Where there is nothing to write to, that is what is told.
    let nowhere = UpsertPointsBuilder::new("fish", Vec::new());
    is(
        same!(both.upsert_points(nowhere)).unwrap_err(),
        Code::NotFound,
        "Collection `fish` doesn't exist!",
    );
}

#[tokio::test]
async fn queries_that_make_no_sense() {
    let both = Both::with_birds().await;
    let query = || QueryPointsBuilder::new("birds");
    let near = || PrefetchQueryBuilder::default().query(vec![1.0, 0.0]);
    let fusion = || query().query(Query::new_fusion(Fusion::Rrf)).add_prefetch(near());
    for (request, part) in [
        (fusion().using("x"), "'using'"),
        (
            query().add_prefetch(near()),
            "A query is needed to merge the prefetches",
        ),
        (
            query().score_threshold(1.0),
            "A query is needed to use the score_threshold",
        ),
        (
            query()
                .query(Query::new_order_by(OrderByBuilder::new("grams")))
                .score_threshold(1.0),
            "score_threshold",
        ),
        (
            query().query(Query::new_order_by(OrderByBuilder::new("grams"))),
            "No range index",
        ),
        (query().query(vec![1.0, f32::NAN]), ""),
        (
            query().query(vec![1.0, 0.0]).shard_key_selector("k".to_owned()),
            "shard",
        ),
    ] {
        is(
            same!(both.query(request.build())).unwrap_err(),
            Code::InvalidArgument,
            part,
        );
    }
    same!(both.query(fusion().limit(1u64))).unwrap();
    let groups = QueryPointGroupsBuilder::new("birds", "a b").query(vec![1.0, 0.0]);
    is(
        same!(both.query_groups(groups)).unwrap_err(),
        Code::InvalidArgument,
        "",
    );
    let lookup = QueryPointGroupsBuilder::new("birds", "grams")
        .query(vec![1.0, 0.0])
        .with_lookup(proto::WithLookupBuilder::new("fish"));
    is(
        same!(both.query_groups(lookup)).unwrap_err(),
        Code::NotFound,
        "Collection fish not found",
    );
    let recommend = RecommendPointsBuilder::new("birds", 3);
    is(
        same!(both.recommend(recommend)).unwrap_err(),
        Code::InvalidArgument,
        "",
    );
    let page = ScrollPointsBuilder::new("birds").limit(0);
    is(
        same!(both.scroll(page)).unwrap_err(),
        Code::InvalidArgument,
        "limit",
    );
    let facet = FacetCountsBuilder::new("birds", "name").limit(0u64);
    is(
        same!(both.facet(facet)).unwrap_err(),
        Code::InvalidArgument,
        "limit",
    );
}

#[tokio::test]
async fn names_and_settings() {
    let both = Both::with_birds().await;
    let long = "x".repeat(256);
    is(
        same!(both.collection_info(long.as_str())).unwrap_err(),
        Code::InvalidArgument,
        "must be from 1 to 255 characters",
    );
    let alias = CreateAliasBuilder::new("birds", "a/b");
    is(
        same!(both.create_alias(alias)).unwrap_err(),
        Code::InvalidArgument,
        "alias_name: collection name cannot contain \"/\" char",
    );
    let taken = CreateAliasBuilder::new("birds", "birds");
    is(
        same!(both.create_alias(taken)).unwrap_err(),
        Code::AlreadyExists,
        "birds",
    );
    assert!(
        same!(both.list_collection_aliases("fish"))
            .unwrap()
            .aliases
            .is_empty()
    );
    let diff = proto::VectorsConfigDiff {
        config: Some(proto::vectors_config_diff::Config::ParamsMap(
            proto::VectorParamsDiffMap {
                map: [("none".to_owned(), proto::VectorParamsDiff::default())].into(),
            },
        )),
    };
    let update = UpdateCollectionBuilder::new("birds").vectors_config(diff);
    is(
        same!(both.update_collection(update)).unwrap_err(),
        Code::InvalidArgument,
        "Not existing vector name error: none",
    );
    let index = CreateFieldIndexCollectionBuilder::new("birds", "a..b", FieldType::Keyword);
    is(
        same!(both.create_field_index(index)).unwrap_err(),
        Code::InvalidArgument,
        "a..b",
    );
}

#[tokio::test]
async fn times_of_nothing() {
    let both = Both::with_birds().await;
    let create = proto::CreateCollectionBuilder::new("fish").timeout(0u64);
    let refused = same!(both.create_collection(create)).unwrap_err();
    is(refused, Code::InvalidArgument, "timeout: value 0 invalid");
    let update = UpdateCollectionBuilder::new("birds").timeout(0u64);
    let refused = same!(both.update_collection(update)).unwrap_err();
    is(refused, Code::InvalidArgument, "timeout: value 0 invalid");
    let delete = proto::DeleteCollectionBuilder::new("birds").timeout(0u64);
    let refused = same!(both.delete_collection(delete)).unwrap_err();
    is(refused, Code::InvalidArgument, "timeout: value 0 invalid");
    same!(both.collection_info("birds")).unwrap();
}

#[tokio::test]
async fn texts_that_cannot_be_vectors() {
    let both = Both::with_birds().await;
    for (model, code, part) in [
        (
            "",
            Code::InvalidArgument,
            "query.nearest.document.model: must not be empty",
        ),
        ("other", Code::Unimplemented, "there is no model \"other\""),
    ] {
        let query =
            QueryPointsBuilder::new("birds").query(Query::new_nearest(proto::Document::new("owl", model)));
        is(same!(both.query(query)).unwrap_err(), code, part);
    }
}

#[tokio::test]
async fn names_that_are_longer_than_headers() {
    let both = Both::with_birds().await;
    // Over the wire an error is a header.
    let long = "x".repeat(200_000);
    let query = QueryPointsBuilder::new("birds")
        .query(vec![1.0, 0.0])
        .using(long.as_str());
    is(
        same!(both.query(query)).unwrap_err(),
        Code::InvalidArgument,
        "Not existing vector name error: xxx",
    );
    let facet = FacetCountsBuilder::new("birds", long.as_str());
    is(
        same!(both.facet(facet)).unwrap_err(),
        Code::InvalidArgument,
        "[...]",
    );
    let lookup = QueryPointGroupsBuilder::new("birds", "grams")
        .query(vec![1.0, 0.0])
        .with_lookup(proto::WithLookupBuilder::new(long.as_str()));
    is(
        same!(both.query_groups(lookup)).unwrap_err(),
        Code::NotFound,
        "not found",
    );
    let rename = proto::RenameAliasBuilder::new(long.as_str(), "b");
    is(
        same!(both.rename_alias(rename)).unwrap_err(),
        Code::NotFound,
        " does not exists!",
    );
}
