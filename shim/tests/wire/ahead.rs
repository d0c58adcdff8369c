//! What the client knows and the version that is answered for does not, and there is all the same.

use qdrant_client::qdrant::{
    Condition, CountPointsBuilder, CreateFieldIndexCollectionBuilder, Expression, FieldType, Filter,
    FormulaBuilder, PrefetchQueryBuilder, Query, QueryPointsBuilder, TextIndexParamsBuilder,
    TextQueryBuilder, TokenizerType,
};

use super::fixture::{Both, ids, same};

#[tokio::test]
async fn formulas_of_later_versions() {
    let both = Both::with_birds().await;
    let at_least = |number: f32| Expression::constant(number);
    let formula = Expression::max_with([
        Expression::min_with([Expression::variable("$score"), at_least(0.9)]),
        Expression::acosh(at_least(1.0)),
    ]);
    let query = QueryPointsBuilder::new("birds")
        .add_prefetch(PrefetchQueryBuilder::default().query(vec![1.0, 0.0]))
        .query(FormulaBuilder::new(formula));
    let hits = same!(both.query(query)).unwrap().result;
    let scores: Vec<f32> = hits.iter().map(|hit| hit.score).collect();
    assert_eq!(scores, [0.9, 0.9, 0.5, 0.2, 0.0]);
}

#[tokio::test]
async fn substrings() {
    let both = Both::with_birds().await;
    let count = |piece: &str| {
        CountPointsBuilder::new("birds").filter(Filter::must([Condition::matches_substring("name", piece)]))
    };
    for (piece, found) in [("w", 3), ("wl", 1), ("Owl", 0), ("", 4)] {
        let answer = same!(both.count(count(piece))).unwrap();
        assert_eq!(answer.result.unwrap().count, found, "{piece:?}");
    }
}

#[tokio::test]
async fn queries_by_text() {
    let both = Both::with_birds().await;
    let index = CreateFieldIndexCollectionBuilder::new("birds", "name", FieldType::Text)
        .field_index_params(TextIndexParamsBuilder::new(TokenizerType::Word).bm25_scoring())
        .wait(true);
    same!(both.create_field_index(index)).unwrap();
    for text in [
        TextQueryBuilder::new("tit OWL").build(),
        TextQueryBuilder::new("tit OWL").k(1.5).b(0.5).build(),
    ] {
        let query = QueryPointsBuilder::new("birds")
            .query(Query::new_text(text))
            .using("name");
        assert_eq!(ids(&same!(both.query(query)).unwrap().result), [1, 3]);
    }
}
