use qdrant_client::qdrant::{
    self as proto, ContextExamplePairBuilder, DiscoverPointsBuilder, QueryPointsBuilder,
    RecommendInputBuilder, RecommendPointGroupsBuilder, RecommendPointsBuilder, SearchPointGroupsBuilder,
    SearchPointsBuilder,
};

use super::*;

#[test]
fn a_search_is_a_query_for_the_nearest() {
    let sent = SearchPointsBuilder::new("c", vec![1.0, 0.0], 5)
        .vector_name("image")
        .offset(2)
        .score_threshold(0.5)
        .with_payload(true);
    let same = QueryPointsBuilder::new("c")
        .query(vec![1.0, 0.0])
        .using("image")
        .limit(5u64)
        .offset(2u64)
        .score_threshold(0.5)
        .with_payload(true);
    assert_eq!(
        search(sent.build()).unwrap(),
        query::request(same.build(), &mut Models::default()).unwrap()
    );
}

#[test]
fn a_search_needs_a_limit() {
    assert!(search(SearchPointsBuilder::new("c", vec![1.0], 0).build()).is_err());
}

#[test]
fn a_recommendation_takes_ids_and_vectors() {
    let sent = RecommendPointsBuilder::new("c", 5)
        .add_positive(1)
        .add_positive(vec![0.5])
        .add_negative(3)
        .strategy(proto::RecommendStrategy::SumScores);
    let asked = RecommendInputBuilder::default()
        .add_positive(1)
        .add_positive(vec![0.5])
        .add_negative(3)
        .strategy(proto::RecommendStrategy::SumScores);
    let same = QueryPointsBuilder::new("c").query(asked.build()).limit(5u64);
    assert_eq!(
        recommend(sent.build(), &mut Models::default()).unwrap(),
        query::request(same.build(), &mut Models::default()).unwrap()
    );
}

#[test]
fn a_discovery_without_a_target_is_one_by_context() {
    let pair = ContextExamplePairBuilder::default()
        .positive(proto::VectorExample::from(vector_example::Example::Id(1.into())))
        .negative(proto::VectorExample::from(vector_example::Example::Id(2.into())));
    let sent = DiscoverPointsBuilder::new("c", vec![pair.build()], 5);
    let read = discover(sent.build(), &mut Models::default()).unwrap();
    let pair = ContextPair {
        positive: 1.into(),
        negative: 2.into(),
    };
    assert_eq!(read.query, Some(Query::Context(vec![pair])));
}

#[test]
fn groups_have_a_size() {
    let search = SearchPointGroupsBuilder::new("c", vec![1.0], 4, "book", 2);
    let GroupsRequest { groups, lookup } = search_groups(search.build()).unwrap();
    assert_eq!(
        (groups.query.limit, groups.group_size, groups.group_by.as_str()),
        (4, 2, "book")
    );
    assert_eq!(lookup, None);
    let empty = SearchPointGroupsBuilder::new("c", vec![1.0], 4, "book", 0);
    assert!(search_groups(empty.build()).is_err());
    let recommend = RecommendPointGroupsBuilder::new("c", "book", 2, 4).add_positive(1);
    assert_eq!(
        recommend_groups(recommend.build(), &mut Models::default())
            .unwrap()
            .groups
            .group_size,
        2
    );
}
