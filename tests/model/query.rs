//! Compares searches, counts and pages with what looking at every point gives.

use std::cell::Cell;

use serde_json::{Value, json};
use vdb::{
    Collection, Distance, Error, Modifier, NamedVectorParams, PointId, ScoredPoint, ScrollRequest,
    SearchRequest, Select, Vector,
};
use vdb_tests::oracle::vector::{distance_of, lead, score_of, stored_as, weighed};
use vdb_tests::oracle::{OracleCollection, op::parse_filter};

use super::action::{self, Question};
use super::kinds;

/// How many of the nearest points approximate search found, and how often a graph among the rows of one value was walked for
/// that.
#[derive(Debug, Default)]
pub(crate) struct Recall {
    found: Cell<u64>,
    wanted: Cell<u64>,
    walked: Cell<u64>,
}

impl Recall {
    pub(crate) fn share(&self) -> (u64, u64) {
        (self.found.get(), self.wanted.get())
    }

    pub(crate) fn walked(&self) -> u64 {
        self.walked.get()
    }

    fn add(&self, found: usize, wanted: usize) {
        self.found.set(self.found.get() + found as u64);
        self.wanted.set(self.wanted.get() + wanted as u64);
    }
}

/// A graph among more rows is walked for the one nearest by the narrowest beam.
const WALKED: u64 = 24;

/// The search as the engine takes it, without its threshold.
pub(crate) fn request(question: &Question) -> SearchRequest {
    let request = SearchRequest::new(action::vector_of(question.using, question.seed))
        .using(question.using)
        .limit(question.limit);
    let request = request.offset(question.offset).ef(96);
    match &question.filter {
        Some(json) => request.filter(parse_filter(json)),
        None => request,
    }
}

/// The oracle's side of a search.
struct Ranking {
    distance: Distance,
    /// Every point that matches and has the vector, with its score and how far the engine's may be off.
    scores: Vec<(PointId, f64, f64)>,
}

impl Ranking {
    fn of(&self, id: PointId) -> (f64, f64) {
        let found = self.scores.iter().find(|(other, ..)| *other == id);
        let (_, score, slack) = found.unwrap_or_else(|| panic!("{id} does not match, or lacks the vector"));
        (*score, *slack)
    }

    /// Each hit has its score, and none comes before a better one.
    fn check_hits(&self, hits: &[ScoredPoint], oracle: &OracleCollection) {
        for hit in hits {
            let (expected, slack) = self.of(hit.id);
            assert!(
                (f64::from(hit.score) - expected).abs() <= slack,
                "{}: {} for {expected}",
                hit.id,
                hit.score
            );
            assert_eq!(hit.version, oracle.points[&hit.id].version);
        }
        for pair in hits.windows(2) {
            let ahead = lead(self.distance, f64::from(pair[0].score), f64::from(pair[1].score));
            assert!(
                ahead > 0.0 || (ahead == 0.0 && pair[0].id < pair[1].id),
                "{pair:?}"
            );
        }
    }

    /// No point that was left out is better than the last one that was not.
    fn check_nothing_better(&self, hits: &[ScoredPoint]) {
        let Some(last) = hits.last() else { return };
        for (id, score, slack) in &self.scores {
            if !hits.iter().any(|hit| hit.id == *id) {
                let ahead = lead(self.distance, *score, f64::from(last.score));
                assert!(ahead <= 2.0 * slack, "{id} with {score} is better than {last:?}");
            }
        }
    }
}

fn rank(question: &Question, oracle: &OracleCollection, params: &NamedVectorParams) -> Ranking {
    let name = question.using;
    let mut query = stored_as(params, &action::vector_of(name, question.seed));
    if let (NamedVectorParams::Sparse(sparse), Vector::Sparse(vector)) = (params, &query)
        && sparse.modifier == Modifier::Idf
    {
        let corpus = oracle.points.values().filter_map(|point| point.vectors.get(name));
        query = weighed(vector, corpus).into();
    }
    let scored = |id: PointId| {
        let row = oracle.points[&id].vectors.get(name)?;
        let (score, slack) = score_of(params, &query, row)?;
        Some((id, score, slack))
    };
    let scores = oracle
        .matching(question.filter.as_ref())
        .into_iter()
        .filter_map(scored)
        .collect();
    Ranking {
        distance: distance_of(params),
        scores,
    }
}

/// Asks the engine in every way there is and compares. Returns the exact answer.
pub(crate) fn compare(
    question: &Question,
    collection: &Collection,
    oracle: &OracleCollection,
    recall: &Recall,
) -> Vec<ScoredPoint> {
    let asked = request(question);
    let Some(params) = oracle.named(question.using) else {
        let refused = collection.search(&asked);
        assert!(matches!(refused, Err(Error::UnknownVector { .. })), "{refused:?}");
        return Vec::new();
    };
    let ranking = rank(question, oracle, &params);

    let whole = asked
        .clone()
        .exact(true)
        .offset(0)
        .limit(question.offset + question.limit);
    let hits = collection.search(&whole).unwrap();
    assert_eq!(hits.len(), ranking.scores.len().min(whole.limit), "{question:?}");
    ranking.check_hits(&hits, oracle);
    ranking.check_nothing_better(&hits);

    let page = collection.search(&asked.clone().exact(true)).unwrap();
    assert_eq!(page, hits[question.offset.min(hits.len())..], "{question:?}");

    if let Some(bar) = question.threshold.and_then(|n| hits.get(n)).map(|hit| hit.score) {
        let passing = collection.search(&whole.clone().score_threshold(bar)).unwrap();
        let distance = ranking.distance;
        let better = |hit: &&ScoredPoint| lead(distance, f64::from(hit.score), f64::from(bar)) > 0.0;
        assert_eq!(
            passing,
            hits.iter().filter(better).cloned().collect::<Vec<_>>(),
            "{question:?}"
        );
    }

    let near = collection.search(&whole.exact(false)).unwrap();
    ranking.check_hits(&near, oracle);
    if let Some(last) = hits.last() {
        // Of points with one score it does not matter which were found.
        let good =
            |hit: &&ScoredPoint| lead(ranking.distance, f64::from(hit.score), f64::from(last.score)) >= 0.0;
        recall.add(near.iter().filter(good).count(), hits.len());
    }

    // The nearest of one value, by a beam so narrow that even a graph among few rows is walked.
    let of_value = Question {
        filter: Some(json!({"must": [{"key": "k", "match": {"value": "red"}}]})),
        limit: 1,
        offset: 0,
        ..question.clone()
    };
    let near = collection.search(&request(&of_value).ef(1)).unwrap();
    rank(&of_value, oracle, &params).check_hits(&near, oracle);
    let plan = collection
        .explain(&parse_filter(of_value.filter.as_ref().unwrap()))
        .unwrap();
    let mut partitions = plan.segments.iter().flat_map(|segment| &segment.partitions);
    let is_walked = partitions.any(|found| found.vector == question.using && found.rows > WALKED);
    recall.walked.set(recall.walked.get() + u64::from(is_walked));

    kinds::compare(question, collection, oracle);
    for filter in question.filter.iter().chain(&question.others) {
        compare_matching(Some(filter), question.limit, collection, oracle);
    }
    compare_matching(None, question.limit, collection, oracle);
    page
}

fn compare_matching(json: Option<&Value>, limit: usize, collection: &Collection, oracle: &OracleCollection) {
    let expected = oracle.matching(json);
    let filter = json.map(parse_filter);
    assert_eq!(
        collection.count(filter.as_ref()).unwrap(),
        expected.len() as u64,
        "{json:?}"
    );
    let mut request = ScrollRequest::new().limit(limit).select(Select::default());
    request.filter = filter;
    let mut found = Vec::new();
    loop {
        let page = collection.scroll(&request).unwrap();
        assert!(page.points.len() <= limit);
        assert!(page.next_offset.is_none() || page.points.len() == limit);
        found.extend(page.points.iter().map(|record| record.id));
        match page.next_offset {
            Some(next) => request = request.offset(next),
            None => break,
        }
    }
    assert_eq!(found, expected, "{json:?}");
}
