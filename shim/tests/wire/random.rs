//! Random calls, sound ones and others: what the client in the process answers is what the server answers.

use qdrant_client::qdrant::{
    self as proto, ClearPayloadPointsBuilder, Condition, CountPointsBuilder, CreateCollectionBuilder,
    CreateFieldIndexCollectionBuilder, DeletePayloadPointsBuilder, DeletePointVectorsBuilder,
    DeletePointsBuilder, Distance, FacetCountsBuilder, FieldType, Filter, Fusion, GetPointsBuilder,
    NamedVectors, OrderByBuilder, PointStruct, PointVectors, PointsIdsList, PrefetchQueryBuilder, Query,
    QueryPointGroupsBuilder, QueryPointsBuilder, Range, RecommendInputBuilder, RecommendStrategy,
    ScrollPointsBuilder, SetPayloadPointsBuilder, UpdatePointVectorsBuilder, UpsertPointsBuilder, Vector,
    VectorParamsBuilder, VectorsConfigBuilder,
};
use serde_json::json;

use super::fixture::{Both, same};

/// Numbers that are the same every time (splitmix64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }

    fn one_in(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }

    /// Now and then of a size that does not fit.
    fn vector(&mut self) -> Vec<f32> {
        let size = if self.one_in(25) { 2 } else { 3 };
        (0..size).map(|_| self.below(9) as f32 - 4.0).collect()
    }

    /// Now and then one that there is not.
    fn name(&mut self) -> String {
        let names = ["a", "b", "a", "b", "a", "b", "none"];
        names[self.below(7) as usize].to_owned()
    }

    fn ids(&mut self) -> PointsIdsList {
        let count = self.below(4);
        PointsIdsList {
            ids: (0..count).map(|_| self.below(14).into()).collect(),
        }
    }

    fn payload(&mut self) -> qdrant_client::Payload {
        let word = ["owl", "hawk", "wren"][self.below(3) as usize];
        let payload = match self.below(3) {
            0 => json!({"n": self.below(5), "word": word}),
            1 => json!({"word": [word, "tit"], "deep": {"n": self.below(3)}}),
            _ => json!({"n": null, "f": 0.5}),
        };
        payload.try_into().unwrap()
    }

    fn vectors(&mut self) -> NamedVectors {
        let count = self.below(3);
        (0..count).fold(NamedVectors::default(), |vectors, _| {
            vectors.add_vector(self.name(), Vector::new_dense(self.vector()))
        })
    }

    fn filter(&mut self) -> Filter {
        let condition = match self.below(5) {
            0 => Condition::matches("word", "owl".to_owned()),
            1 => Condition::range(
                "n",
                Range {
                    gte: Some(self.below(4) as f64),
                    ..Default::default()
                },
            ),
            2 => Condition::is_empty("deep.n"),
            3 => Condition::has_vector("a"),
            // Nothing is said of the field.
            _ if self.one_in(8) => proto::FieldCondition::default().into(),
            _ => Condition::has_id([self.below(14), 3]),
        };
        if self.one_in(3) {
            Filter::must_not([condition])
        } else {
            Filter::should([condition])
        }
    }
}

async fn collection() -> Both {
    let both = Both::start().await;
    let mut vectors = VectorsConfigBuilder::default();
    vectors.add_named_vector_params("a", VectorParamsBuilder::new(3, Distance::Dot));
    vectors.add_named_vector_params("b", VectorParamsBuilder::new(3, Distance::Euclid));
    let create = CreateCollectionBuilder::new("c").vectors_config(vectors);
    same!(both.create_collection(create)).unwrap();
    for (path, kind) in [("n", FieldType::Integer), ("word", FieldType::Keyword)] {
        let index = CreateFieldIndexCollectionBuilder::new("c", path, kind).wait(true);
        same!(both.create_field_index(index)).unwrap();
    }
    both
}

async fn write(both: &Both, numbers: &mut Numbers) -> bool {
    let (ids, filter) = (numbers.ids(), numbers.filter());
    let selector: proto::points_selector::PointsSelectorOneOf = if numbers.one_in(3) {
        filter.into()
    } else {
        ids.into()
    };
    match numbers.below(10) {
        0..=3 => {
            let count = numbers.below(4);
            let point = |numbers: &mut Numbers| {
                PointStruct::new(numbers.below(14), numbers.vectors(), numbers.payload())
            };
            let points = (0..count).map(|_| point(numbers)).collect::<Vec<_>>();
            same!(both.upsert_points(UpsertPointsBuilder::new("c", points).wait(true))).is_ok()
        }
        4 => same!(both.delete_points(DeletePointsBuilder::new("c").points(selector).wait(true))).is_ok(),
        5 => {
            let set = SetPayloadPointsBuilder::new("c", numbers.payload()).points_selector(selector);
            let set = if numbers.one_in(2) {
                set.key("deep.er")
            } else {
                set
            };
            same!(both.set_payload(set.wait(true))).is_ok()
        }
        6 => {
            let set = SetPayloadPointsBuilder::new("c", numbers.payload()).points_selector(selector);
            same!(both.overwrite_payload(set.wait(true))).is_ok()
        }
        7 => {
            let paths = vec!["deep.n".to_owned(), "word[]".to_owned()];
            let delete = DeletePayloadPointsBuilder::new("c", paths).points_selector(selector);
            same!(both.delete_payload(delete.wait(true))).is_ok()
        }
        8 => {
            let points = vec![PointVectors {
                id: Some(numbers.below(14).into()),
                vectors: Some(numbers.vectors().into()),
            }];
            same!(both.update_vectors(UpdatePointVectorsBuilder::new("c", points).wait(true))).is_ok()
        }
        _ if numbers.one_in(2) => {
            let delete = DeletePointVectorsBuilder::new("c")
                .points_selector(selector)
                .vectors(proto::VectorsSelector {
                    names: vec![numbers.name()],
                });
            same!(both.delete_vectors(delete.wait(true))).is_ok()
        }
        _ => {
            same!(both.clear_payload(ClearPayloadPointsBuilder::new("c").points(selector).wait(true))).is_ok()
        }
    }
}

async fn read(both: &Both, numbers: &mut Numbers) -> bool {
    let (filter, name) = (numbers.filter(), numbers.name());
    let limit = numbers.below(6);
    let near: Query = if numbers.one_in(2) {
        Query::new_nearest(proto::VectorInput::new_id(numbers.below(14)))
    } else {
        numbers.vector().into()
    };
    let query = || QueryPointsBuilder::new("c").limit(limit).with_payload(true);
    match numbers.below(9) {
        0 => same!(both.query(query().query(near).using(name).with_vectors(true))).is_ok(),
        1 => same!(
            both.query(
                query()
                    .query(near)
                    .using(name)
                    .filter(filter)
                    .score_threshold(1.0)
            )
        )
        .is_ok(),
        2 => {
            let input = RecommendInputBuilder::default()
                .add_positive(numbers.below(14))
                .add_negative(numbers.vector())
                .strategy(RecommendStrategy::SumScores);
            same!(both.query(query().query(input.build()).using(name))).is_ok()
        }
        3 => {
            let prefetch = || PrefetchQueryBuilder::default().using("b").limit(5u64);
            let fusion = query()
                .query(Query::new_fusion(Fusion::Rrf))
                .add_prefetch(prefetch().query(near))
                .add_prefetch(prefetch().filter(filter));
            same!(both.query(fusion)).is_ok()
        }
        4 => {
            let page = ScrollPointsBuilder::new("c")
                .filter(filter)
                .limit(limit as u32)
                .offset(numbers.below(14));
            same!(both.scroll(page)).is_ok()
        }
        5 => {
            let path = if numbers.one_in(4) { "f" } else { "n" };
            let page = ScrollPointsBuilder::new("c").order_by(OrderByBuilder::new(path));
            same!(both.scroll(page)).is_ok()
        }
        6 => {
            let facet = FacetCountsBuilder::new("c", "word").filter(filter).limit(limit);
            same!(both.facet(facet)).is_ok()
        }
        7 => {
            let groups = QueryPointGroupsBuilder::new("c", "word")
                .query(near)
                .using(name)
                .group_size(limit);
            same!(both.query_groups(groups)).is_ok()
        }
        _ => {
            let get = GetPointsBuilder::new("c", numbers.ids().ids).with_vectors(true);
            let got = same!(both.get_points(get)).is_ok();
            same!(both.count(CountPointsBuilder::new("c").filter(filter).exact(true))).is_ok() && got
        }
    }
}

#[tokio::test]
async fn random_calls_are_answered_alike() {
    for seed in 0..4 {
        let (both, mut numbers) = (collection().await, Numbers(seed));
        let (mut answered, mut refused) = (0, 0);
        for _ in 0..120 {
            for done in [write(&both, &mut numbers).await, read(&both, &mut numbers).await] {
                *(if done { &mut answered } else { &mut refused }) += 1;
            }
        }
        assert!(
            answered > 60 && refused > 20,
            "{seed}: {answered} answered, {refused} refused"
        );
    }
}
