use qdrant_client::qdrant::{
    self as proto, ContextInputBuilder, DiscoverInputBuilder, OrderByBuilder, PrefetchQueryBuilder,
    QueryPointsBuilder, RecommendInputBuilder, RrfBuilder, SearchParamsBuilder,
};
use vdb::{Filter, Vector};

use super::*;

fn read(builder: QueryPointsBuilder) -> QueryRequest {
    request(builder.build(), &mut Models::default()).unwrap()
}

#[test]
fn defaults_are_ten_points_without_payload_or_vectors() {
    let request = read(QueryPointsBuilder::new("c"));
    assert_eq!((request.limit, request.offset, request.query), (10, 0, None));
    assert_eq!(request.select, Select::default());
}

#[test]
fn prefetches_are_read_as_deep_as_they_go() {
    let inner = PrefetchQueryBuilder::default().query(vec![1.0, 0.0]).limit(50u64);
    let outer = PrefetchQueryBuilder::default()
        .query(proto::Query::new_nearest(proto::VectorInput::new_id(5)))
        .add_prefetch(inner)
        .using("image")
        .score_threshold(0.5)
        .filter(proto::Filter::default());
    let request = read(
        QueryPointsBuilder::new("c")
            .add_prefetch(outer)
            .query(proto::Query::new_rrf(RrfBuilder::with_k(5))),
    );
    let outer = &request.prefetch[0];
    assert_eq!(
        (outer.using.as_str(), outer.limit, outer.score_threshold),
        ("image", 10, Some(0.5))
    );
    assert_eq!(outer.query, Some(Query::nearest(5)));
    assert_eq!(outer.filter, Some(Filter::default()));
    assert_eq!(outer.prefetch[0].limit, 50);
    assert_eq!(
        request.query,
        Some(Query::Fusion(Fusion::Rrf { k: 5, weights: None }))
    );
}

#[test]
fn examples_keep_their_sides() {
    let sent = RecommendInputBuilder::default()
        .add_positive(1)
        .add_negative(vec![1.0])
        .strategy(proto::RecommendStrategy::BestScore);
    let request = read(QueryPointsBuilder::new("c").query(sent.build()));
    assert_eq!(
        request.query,
        Some(Query::Recommend {
            positive: vec![1.into()],
            negative: vec![VectorInput::Vector(Vector::from([1.0]))],
            strategy: RecommendStrategy::BestScore,
        })
    );
    let context = ContextInputBuilder::default().add_pair(2, 3);
    let discover = DiscoverInputBuilder::new(1, context);
    let request = read(QueryPointsBuilder::new("c").query(discover.build()));
    let pair = ContextPair {
        positive: 2.into(),
        negative: 3.into(),
    };
    assert_eq!(
        request.query,
        Some(Query::Discover {
            target: 1.into(),
            context: vec![pair]
        })
    );
}

#[test]
fn orders_start_where_they_are_told_to() {
    let sent = OrderByBuilder::new("year")
        .direction(proto::Direction::Desc.into())
        .start_from(start_from::Value::Integer(5));
    let read = order_by(sent.build()).unwrap();
    assert_eq!(read, OrderBy::new("year").descending().start_from(5i64));
    let at = proto::StartFrom {
        value: Some(start_from::Value::Datetime("not a day".to_owned())),
    };
    let sent = proto::OrderBy {
        start_from: Some(at),
        ..Default::default()
    };
    assert!(format!("{:?}", order_by(sent)).contains("start_from.datetime"));
}

#[test]
fn numbers_out_of_their_ranges_are_refused_by_name() {
    let base = || QueryPointsBuilder::new("c");
    for (builder, field) in [
        (base().limit(0u64), "limit"),
        (base().timeout(0u64), "timeout"),
        (
            base().params(SearchParamsBuilder::default().hnsw_ef(0)),
            "params.hnsw_ef",
        ),
        (
            base().add_prefetch(PrefetchQueryBuilder::default().limit(0u64)),
            "prefetch[0].limit",
        ),
    ] {
        let refused = request(builder.build(), &mut Models::default()).unwrap_err();
        assert!(
            format!("{refused:?}").contains(&format!("{field:?}")),
            "{field}: {refused:?}"
        );
    }
}

#[test]
fn text_queries_have_the_usual_parameters_unless_others_are_given() {
    let sent = |scoring| proto::Query {
        variant: Some(Variant::Text(proto::TextQuery {
            query: "old owl".to_owned(),
            scoring,
        })),
    };
    assert_eq!(
        query(sent(None), &mut Models::default()),
        Ok(Query::text("old owl"))
    );
    let bm25 = proto::Bm25Params {
        k: Some(2.0),
        b: None,
    };
    let Ok(Query::Text { text, k1, b }) = query(
        sent(Some(text_query::Scoring::Bm25(bm25))),
        &mut Models::default(),
    ) else {
        panic!("no text query");
    };
    assert_eq!((text.as_str(), k1, b), ("old owl", 2.0, 0.75));
}

#[test]
fn depth_is_bounded() {
    let deep =
        (0..MAX_PREFETCH_DEPTH + 1).fold(proto::PrefetchQuery::default(), |inner, _| proto::PrefetchQuery {
            prefetch: vec![inner],
            ..Default::default()
        });
    assert!(
        request(
            QueryPointsBuilder::new("c").add_prefetch(deep).build(),
            &mut Models::default()
        )
        .is_err()
    );
}
