use tonic::{Code, Status};

use super::*;

fn text() -> proto::Document {
    proto::Document::new("a fox", "qdrant/bm25")
}

fn nearest(target: impl Into<proto::VectorInput>) -> Option<proto::Query> {
    Some(proto::Query::new_nearest(target))
}

fn prefetch(query: Option<proto::Query>, prefetch: Vec<proto::PrefetchQuery>) -> proto::PrefetchQuery {
    proto::PrefetchQuery {
        query,
        prefetch,
        ..proto::PrefetchQuery::default()
    }
}

#[test]
fn texts_are_seen_wherever_they_stand_in_a_query() {
    let query = |query, prefetch| proto::QueryPoints {
        query,
        prefetch,
        ..proto::QueryPoints::default()
    };
    let numbers = || nearest(vec![1.0, 0.0]);
    let recommend = proto::RecommendInput {
        negative: vec![vec![1.0].into(), text().into()],
        ..proto::RecommendInput::default()
    };
    let recommend = proto::Query {
        variant: Some(QueryVariant::Recommend(recommend)),
    };
    let deep = prefetch(numbers(), vec![prefetch(nearest(text()), Vec::new())]);
    assert!(query(nearest(text()), Vec::new()).names_model());
    assert!(query(Some(recommend), Vec::new()).names_model());
    assert!(query(numbers(), vec![prefetch(numbers(), Vec::new()), deep]).names_model());
    assert!(!query(numbers(), vec![prefetch(numbers(), Vec::new())]).names_model());
    assert!(!query(None, Vec::new()).names_model());
}

#[test]
fn texts_are_seen_wherever_they_stand_among_points_and_examples() {
    let point = |vector: proto::Vector| proto::PointStruct {
        vectors: Some(proto::Vectors {
            vectors_options: Some(vectors::VectorsOptions::Vectors(proto::NamedVectors {
                vectors: [("a".to_owned(), vec![1.0].into()), ("s".to_owned(), vector)].into(),
            })),
        }),
        ..proto::PointStruct::default()
    };
    assert!(vec![point(vec![1.0].into()), point(text().into())].names_model());
    assert!(!vec![point(vec![1.0].into())].names_model());
    let recommend = proto::RecommendPoints {
        negative_vectors: vec![text().into()],
        ..proto::RecommendPoints::default()
    };
    assert!(recommend.names_model());
    let pair = proto::ContextExamplePair {
        positive: None,
        negative: Some(proto::VectorExample {
            example: Some(vector_example::Example::Vector(text().into())),
        }),
    };
    let discover = proto::DiscoverPoints {
        context: vec![pair],
        ..proto::DiscoverPoints::default()
    };
    assert!(discover.names_model());
}

#[test]
fn a_model_without_a_name_is_a_value_that_is_wrong() {
    for (model, code) in [("", Code::InvalidArgument), ("other", Code::Unimplemented)] {
        let text = proto::Document::new("a fox", model);
        let image = proto::Image {
            model: model.to_owned(),
            ..proto::Image::default()
        };
        let refused = document(text, Role::Query, &mut Models::default()).unwrap_err();
        assert_eq!(Status::from(refused).code(), code, "{model:?}");
        assert_eq!(
            Status::from(super::image(image).unwrap_err()).code(),
            code,
            "{model:?}"
        );
    }
}
