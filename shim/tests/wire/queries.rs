use qdrant_client::qdrant::{
    self as proto, Condition, ContextExamplePairBuilder, ContextInputBuilder, CountPointsBuilder,
    CreateFieldIndexCollectionBuilder, DecayParamsExpressionBuilder, DiscoverBatchPointsBuilder,
    DiscoverInputBuilder, DiscoverPointsBuilder, Expression, FacetCountsBuilder, FieldType, Filter,
    FormulaBuilder, Fusion, GetPointsBuilder, LookupLocationBuilder, MmrBuilder, OrderByBuilder,
    PrefetchQueryBuilder, Query, QueryBatchPointsBuilder, QueryPointGroupsBuilder, QueryPointsBuilder,
    RecommendBatchPointsBuilder, RecommendInputBuilder, RecommendPointGroupsBuilder, RecommendPointsBuilder,
    RecommendStrategy, RrfBuilder, ScrollPointsBuilder, SearchBatchPointsBuilder, SearchMatrixPointsBuilder,
    SearchPointGroupsBuilder, SearchPointsBuilder,
};
use tonic::Code;

use super::fixture::{Both, ids, same};

async fn indexed() -> Both {
    let both = Both::with_birds().await;
    for (path, kind) in [
        ("grams", FieldType::Float),
        ("name", FieldType::Keyword),
        ("seen", FieldType::Datetime),
    ] {
        let index = CreateFieldIndexCollectionBuilder::new("birds", path, kind).wait(true);
        same!(both.create_field_index(index)).unwrap();
    }
    both
}

fn query() -> QueryPointsBuilder {
    QueryPointsBuilder::new("birds")
}

/// The points nearest to one.
fn id(number: u64) -> Query {
    Query::new_nearest(proto::VectorInput::new_id(number))
}

#[tokio::test]
async fn the_nearest_come_with_what_was_asked_for() {
    let both = Both::with_birds().await;
    let plain = same!(both.query(query().query(vec![1.0, 0.0]).limit(3u64)))
        .unwrap()
        .result;
    assert_eq!(ids(&plain), [1, 2, 3]);
    assert!(plain[0].payload.is_empty() && plain[0].vectors.is_none() && plain[0].version == 1);
    let full = query()
        .query(vec![1.0, 0.0])
        .limit(1u64)
        .with_payload(true)
        .with_vectors(true);
    let full = same!(both.query(full)).unwrap().result;
    assert!(full[0].payload.contains_key("diet") && full[0].vectors.is_some());
    let part = query()
        .query(vec![1.0, 0.0])
        .with_payload(proto::PayloadIncludeSelector {
            fields: vec!["name".to_owned()],
        });
    assert_eq!(same!(both.query(part)).unwrap().result[0].payload.len(), 1);
    let above = query().query(vec![1.0, 0.0]).score_threshold(0.5);
    assert_eq!(
        ids(&same!(both.query(above)).unwrap().result),
        [1, 2],
        "0.5 itself is not above"
    );
    let later = query().query(vec![1.0, 0.0]).offset(2u64).limit(2u64);
    assert_eq!(ids(&same!(both.query(later)).unwrap().result), [3, 4]);
}

#[tokio::test]
async fn every_kind_of_query_has_one_answer() {
    let both = indexed().await;
    let near = |vector: Vec<f32>| PrefetchQueryBuilder::default().query(vector).limit(3u64);
    let (east, north) = (|| near(vec![1.0, 0.0]), || near(vec![0.0, 1.0]));
    let score = || Expression::variable("$score");
    let bonus = Expression::from(Condition::matches("name", "tit".to_owned()));
    let decay = DecayParamsExpressionBuilder::new(Expression::variable("grams"))
        .scale(100.0)
        .build();
    let formula = Expression::sum_with([score(), bonus, Expression::exp_decay(decay)]);
    let queries = [
        query().query(id(2)),
        query(),
        query().query(
            RecommendInputBuilder::default()
                .add_positive(1)
                .add_negative(5)
                .build(),
        ),
        query().query(
            RecommendInputBuilder::default()
                .add_positive(1)
                .add_negative(vec![0.0, 1.0])
                .strategy(RecommendStrategy::BestScore)
                .build(),
        ),
        query().query(DiscoverInputBuilder::new(1, ContextInputBuilder::default().add_pair(2, 5)).build()),
        query().query(ContextInputBuilder::default().add_pair(2, 5).build()),
        query().query(Query::new_nearest_with_mmr(
            vec![1.0, 0.0],
            MmrBuilder::new().diversity(0.7),
        )),
        query().query(Query::new_order_by(OrderByBuilder::new("grams"))),
        query()
            .query(Query::new_fusion(Fusion::Rrf))
            .add_prefetch(east())
            .add_prefetch(north()),
        query()
            .query(Query::new_fusion(Fusion::Dbsf))
            .add_prefetch(east())
            .add_prefetch(north()),
        query()
            .query(Query::new_rrf(RrfBuilder::with_k(7)))
            .add_prefetch(east())
            .add_prefetch(north()),
        query()
            .query(FormulaBuilder::new(formula).add_default("grams", 0.0))
            .add_prefetch(east().limit(5u64)),
        query()
            .query(vec![0.5, 0.5])
            .filter(Filter::must_not([Condition::is_null("name")]))
            .params(proto::SearchParamsBuilder::default().exact(true)),
    ];
    for request in queries {
        let request = request.build();
        let hits = same!(both.query(request.clone())).unwrap().result;
        assert!(!hits.is_empty(), "{request:?}");
    }
}

#[tokio::test]
async fn queries_that_make_no_sense_are_refused_alike() {
    let both = indexed().await;
    let requests = [
        query().query(vec![1.0]),
        query().query(vec![1.0, 0.0]).using("x"),
        query().query(id(77)),
        query().query(Query::new_fusion(Fusion::Rrf)),
        query().query(Query::new_order_by(OrderByBuilder::new("diet"))),
        query().query(RecommendInputBuilder::default().add_negative(1).build()),
        query()
            .query(id(2))
            .lookup_from(LookupLocationBuilder::new("nowhere")),
        query().query(vec![1.0, 0.0]).limit(0u64),
        query().filter(Filter::must([Condition {
            condition_one_of: None,
        }])),
        QueryPointsBuilder::new("nowhere").query(id(2)),
    ];
    for request in requests {
        let request = request.build();
        let (code, text) = same!(both.query(request.clone())).unwrap_err();
        assert!(
            matches!(code, Code::InvalidArgument | Code::NotFound),
            "{code:?} {text}: {request:?}"
        );
        assert!(!text.is_empty());
    }
}

#[tokio::test]
async fn batches_and_groups_have_one_answer() {
    let both = indexed().await;
    let batch = QueryBatchPointsBuilder::new(
        "birds",
        vec![
            query().query(id(1)).build(),
            query().query(id(2)).limit(1u64).build(),
        ],
    );
    let results = same!(both.query_batch(batch)).unwrap().result;
    assert_eq!(
        results.iter().map(|one| one.result.len()).collect::<Vec<_>>(),
        [4, 1]
    );
    let elsewhere = QueryBatchPointsBuilder::new(
        "birds",
        vec![QueryPointsBuilder::new("fish").query(id(1)).build()],
    );
    let (code, text) = same!(both.query_batch(elsewhere)).unwrap_err();
    assert!(
        code == Code::InvalidArgument && text.contains("query_points[0].collection_name"),
        "{text}"
    );
    let groups = QueryPointGroupsBuilder::new("birds", "diet")
        .query(vec![1.0, 0.0])
        .group_size(1u64);
    let groups = same!(both.query_groups(groups)).unwrap().result.unwrap().groups;
    let mut names: Vec<_> = groups.iter().filter_map(|group| group.id.clone()?.kind).collect();
    names.sort_by_key(|kind| format!("{kind:?}"));
    let of = |text: &str| proto::group_id::Kind::StringValue(text.to_owned());
    assert_eq!(names, [of("mice"), of("voles")]);
    let lookup = QueryPointGroupsBuilder::new("birds", "grams")
        .query(vec![1.0, 0.0])
        .with_lookup(proto::WithLookupBuilder::new("birds").with_payload(true));
    let groups = same!(both.query_groups(lookup)).unwrap().result.unwrap().groups;
    let found = groups
        .iter()
        .find_map(|group| group.lookup.as_ref())
        .expect("the tit of 3 grams");
    assert_eq!(found.id, Some(3.into()));
}

#[tokio::test]
async fn the_calls_before_queries_give_what_queries_give() {
    let both = Both::with_birds().await;
    let by_query = same!(both.query(query().query(vec![1.0, 0.0]).limit(2u64)))
        .unwrap()
        .result;
    let search = || SearchPointsBuilder::new("birds", vec![1.0, 0.0], 2);
    assert_eq!(same!(both.search_points(search())).unwrap().result, by_query);
    let batch = SearchBatchPointsBuilder::new("birds", vec![search().build()]);
    assert_eq!(
        same!(both.search_batch_points(batch)).unwrap().result[0].result,
        by_query
    );
    let groups = SearchPointGroupsBuilder::new("birds", vec![1.0, 0.0], 2, "diet", 2);
    assert_eq!(
        same!(both.search_groups(groups))
            .unwrap()
            .result
            .unwrap()
            .groups
            .len(),
        2
    );
    let recommend = || RecommendPointsBuilder::new("birds", 3).add_positive(1);
    let hits = same!(both.recommend(recommend())).unwrap().result;
    assert_eq!(ids(&hits), [2, 3, 4], "the example itself is none");
    let batch = RecommendBatchPointsBuilder::new("birds", vec![recommend().build()]);
    assert_eq!(same!(both.recommend_batch(batch)).unwrap().result[0].result, hits);
    let groups = RecommendPointGroupsBuilder::new("birds", "diet", 1, 2).add_positive(3);
    same!(both.recommend_groups(groups)).unwrap();
    let example = |id: u64| proto::VectorExample::from(proto::vector_example::Example::Id(id.into()));
    let pair = ContextExamplePairBuilder::default()
        .positive(example(2))
        .negative(example(5))
        .build();
    let discover = || {
        DiscoverPointsBuilder::new("birds", vec![pair.clone()], 2).target(proto::TargetVector {
            target: Some(proto::target_vector::Target::Single(example(1))),
        })
    };
    let hits = same!(both.discover(discover())).unwrap().result;
    let batch = DiscoverBatchPointsBuilder::new("birds", vec![discover().build()]).build();
    let here = both.here.discover_batch(&batch).await;
    let there = both.there.discover_batch(&batch).await;
    assert_eq!(
        super::fixture::agreed(here, there).unwrap().result[0].result,
        hits
    );
}

#[tokio::test]
async fn pages_and_orders() {
    let both = indexed().await;
    let page = same!(both.scroll(ScrollPointsBuilder::new("birds").limit(2))).unwrap();
    assert_eq!(page.next_page_offset, Some(3.into()));
    assert!(page.result[0].payload.contains_key("name") && page.result[0].vectors.is_none());
    let next = ScrollPointsBuilder::new("birds").offset(3).with_payload(false);
    let next = same!(both.scroll(next)).unwrap();
    assert!(next.next_page_offset.is_none() && next.result.len() == 3 && next.result[0].payload.is_empty());
    let ordered = ScrollPointsBuilder::new("birds")
        .order_by(OrderByBuilder::new("grams").direction(proto::Direction::Desc.into()));
    let ordered = same!(both.scroll(ordered)).unwrap().result;
    assert_eq!(ordered[0].id, Some(2.into()));
    let value = ordered[0].order_value.and_then(|value| value.variant);
    assert_eq!(
        value,
        Some(proto::order_value::Variant::Int(1100)),
        "as it is stored"
    );
    let both_ways = ScrollPointsBuilder::new("birds")
        .order_by(OrderByBuilder::new("grams"))
        .offset(3);
    assert_eq!(
        same!(both.scroll(both_ways)).unwrap_err().0,
        Code::InvalidArgument
    );
}

#[tokio::test]
async fn counts_facets_and_matrices() {
    let both = indexed().await;
    let heavy = Filter::must([Condition::range(
        "grams",
        proto::Range {
            gt: Some(40.0),
            ..Default::default()
        },
    )]);
    let count = |filter: Filter| CountPointsBuilder::new("birds").filter(filter).exact(true);
    assert_eq!(
        same!(both.count(count(heavy.clone())))
            .unwrap()
            .result
            .unwrap()
            .count,
        3
    );
    let hits = same!(both.facet(FacetCountsBuilder::new("birds", "name").filter(heavy)))
        .unwrap()
        .hits;
    assert_eq!(hits.len(), 3);
    let (code, text) = same!(both.facet(FacetCountsBuilder::new("birds", "diet"))).unwrap_err();
    assert_eq!(code, Code::InvalidArgument, "{text}");
    let matrix = || SearchMatrixPointsBuilder::new("birds").sample(10u64).limit(2u64);
    let pairs = same!(both.search_matrix_pairs(matrix()))
        .unwrap()
        .result
        .unwrap()
        .pairs;
    let offsets = same!(both.search_matrix_offsets(matrix()))
        .unwrap()
        .result
        .unwrap();
    assert_eq!(
        (pairs.len(), offsets.scores.len(), offsets.ids.len()),
        (10, 10, 5)
    );
    let small = SearchMatrixPointsBuilder::new("birds").sample(1u64);
    assert_eq!(
        same!(both.search_matrix_pairs(small)).unwrap_err().0,
        Code::InvalidArgument
    );
}

#[tokio::test]
async fn points_are_fetched_in_the_order_asked_for() {
    let both = Both::with_birds().await;
    let get = GetPointsBuilder::new("birds", vec![3.into(), 77.into(), 1.into(), 3.into()]);
    let found = same!(both.get_points(get)).unwrap().result;
    let ids: Vec<_> = found.into_iter().map(|point| point.id).collect();
    assert_eq!(ids, [Some(3.into()), Some(1.into())]);
}
