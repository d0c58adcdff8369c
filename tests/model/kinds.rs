//! Compares queries of the other kinds with what their definitions make of every point: examples, orders, facets, groups.
//!
//! Scores that are made of several similarities are known here between two bounds, since the engine works in `f32` and may take
//! two similarities that are nearly equal for either order.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a few kinds of JSON values matter, the others do not"
)]

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use vdb::{
    Collection, ContextPair, Distance, FacetRequest, FacetValue, FeedbackExample, GroupId, GroupRequest,
    Modifier, NamedVectorParams, OrderBy, OrderValue, PayloadIndexKind, PointId, Query, QueryRequest,
    RecommendStrategy, ScoredPoint, Vector, VectorInput,
};
use vdb_tests::Numbers;
use vdb_tests::oracle::vector::{distance_of, score_of, stored_as, weighed};
use vdb_tests::oracle::{OracleCollection, datetime, op::parse_filter, path};

use super::action::{self, Question};

/// Asks two queries of other kinds about the points of a question.
pub(crate) fn compare(question: &Question, collection: &Collection, oracle: &OracleCollection) {
    let numbers = &mut Numbers::new(question.seed ^ 0x5eed);
    let asked = Asked {
        question,
        collection,
        oracle,
    };
    if let Some(params) = oracle.named(question.using) {
        asked.by_examples(&params, numbers);
    }
    match numbers.below(3) {
        0 => asked.order(numbers),
        1 => asked.facet(numbers),
        _ => asked.groups(numbers),
    }
}

struct Asked<'a> {
    question: &'a Question,
    collection: &'a Collection,
    oracle: &'a OracleCollection,
}

/// At least and at most.
#[derive(Clone, Copy, Debug)]
struct Between(f64, f64);

impl Between {
    const NONE: Between = Between(f64::NEG_INFINITY, f64::NEG_INFINITY);

    fn plus(self, other: Between) -> Between {
        Between(self.0 + other.0, self.1 + other.1)
    }

    fn minus(self, other: Between) -> Between {
        Between(self.0 - other.1, self.1 - other.0)
    }

    /// A factor that is not negative.
    fn times(self, factor: f64) -> Between {
        Between(self.0 * factor, self.1 * factor)
    }

    fn max(self, other: Between) -> Between {
        Between(self.0.max(other.0), self.1.max(other.1))
    }

    /// By a function that grows.
    fn map(self, grow: impl Fn(f64) -> f64) -> Between {
        Between(grow(self.0), grow(self.1))
    }

    fn sum(all: impl Iterator<Item = Between>) -> Between {
        all.fold(Between(0.0, 0.0), Between::plus)
    }
}

fn squash(x: f64) -> f64 {
    x / (1.0 + x.abs())
}

fn share(x: f64) -> f64 {
    0.5 * (squash(x.clamp(-1e30, 1e30)) + 1.0)
}

/// Examples and what a point's similarities to them make.
struct Mixed {
    query: Query,
    inputs: Vec<VectorInput>,
    score: fn(&[Between]) -> Between,
}

/// Entries of an order on one page.
const PAGE: usize = 60;

/// How good earlier results were.
const SCORES: [f32; 3] = [3.0, 1.0, 2.5];

fn mixed(inputs: Vec<VectorInput>, numbers: &mut Numbers) -> Mixed {
    let pair = |a: usize, b: usize| ContextPair {
        positive: inputs[a].clone(),
        negative: inputs[b].clone(),
    };
    let recommend = |strategy| Query::Recommend {
        positive: inputs[..2].to_vec(),
        negative: inputs[2..].to_vec(),
        strategy,
    };
    let (query, score): (Query, fn(&[Between]) -> Between) = match numbers.below(5) {
        0 => (recommend(RecommendStrategy::BestScore), |s| {
            let best = |some: &[Between]| some.iter().copied().fold(Between::NONE, Between::max);
            let (p, n) = (best(&s[..2]), best(&s[2..]));
            if p.0 > n.1 {
                p.map(share)
            } else if p.1 <= n.0 {
                Between(-share(n.1), -share(n.0))
            } else {
                Between(-share(n.1), share(p.1))
            }
        }),
        1 => (recommend(RecommendStrategy::SumScores), |s| {
            Between::sum(s[..2].iter().copied()).minus(Between::sum(s[2..].iter().copied()))
        }),
        2 => {
            let context = vec![pair(1, 2), pair(3, 1)];
            let target = inputs[0].clone();
            (Query::Discover { target, context }, |s| {
                let side = |p: Between, n: Between| {
                    if p.0 > n.1 {
                        Between(1.0, 1.0)
                    } else if p.1 < n.0 {
                        Between(-1.0, -1.0)
                    } else {
                        Between(-1.0, 1.0)
                    }
                };
                side(s[1], s[2]).plus(side(s[3], s[1])).plus(s[0].map(share))
            })
        }
        3 => (Query::Context(vec![pair(0, 1), pair(2, 3)]), |s| {
            let loss =
                |p: Between, n: Between| p.minus(n).map(|x| squash((x - f64::from(f32::EPSILON)).min(0.0)));
            loss(s[0], s[1]).plus(loss(s[2], s[3]))
        }),
        _ => {
            let example = |at: usize| FeedbackExample {
                example: inputs[at + 1].clone(),
                score: SCORES[at],
            };
            let query = Query::Feedback {
                target: inputs[0].clone(),
                examples: (0..3).map(example).collect(),
                a: 0.5,
                b: 2.0,
                c: 0.25,
            };
            (query, |s| {
                let gap = |better: usize, worse: usize| f64::from(SCORES[better] - SCORES[worse]);
                let pairs = (0..9).map(|n| (n / 3, n % 3)).filter(|&(b, w)| gap(b, w) > 0.0);
                let gained = pairs.map(|(b, w)| s[b + 1].minus(s[w + 1]).times(gap(b, w).powi(2) * 0.25));
                s[0].times(0.5).plus(Between::sum(gained))
            })
        }
    };
    Mixed { query, inputs, score }
}

impl Asked<'_> {
    fn request(&self, query: Query) -> QueryRequest {
        let mut request = QueryRequest::new(query).limit(self.question.limit).exact(true);
        request.filter = self.question.filter.as_ref().map(parse_filter);
        request
    }

    fn matching(&self) -> Vec<PointId> {
        self.oracle.matching(self.question.filter.as_ref())
    }

    /// A point that has the vector, or any vector.
    fn input(&self, numbers: &mut Numbers) -> VectorInput {
        let name = self.question.using;
        let points = self.oracle.points.iter();
        let having: Vec<PointId> = points
            .filter(|(_, point)| point.vectors.contains_key(name))
            .map(|(id, _)| *id)
            .collect();
        if having.is_empty() || numbers.one_in(2) {
            return action::vector_of(name, numbers.bits()).into();
        }
        (*numbers.pick(&having)).into()
    }

    /// An example as it is compared.
    fn example(&self, params: &NamedVectorParams, input: &VectorInput) -> Vector {
        let name = self.question.using;
        let given = match input {
            VectorInput::Vector(vector) => vector.clone(),
            VectorInput::Id(id) => self.oracle.points[id].vectors[name].clone(),
            _ => unreachable!("no other kind"),
        };
        let stored = stored_as(params, &given);
        if let (NamedVectorParams::Sparse(sparse), Vector::Sparse(vector)) = (params, &stored)
            && sparse.modifier == Modifier::Idf
        {
            let points = self.oracle.points.values();
            return weighed(vector, points.filter_map(|point| point.vectors.get(name))).into();
        }
        stored
    }

    fn by_examples(&self, params: &NamedVectorParams, numbers: &mut Numbers) {
        let name = self.question.using;
        let inputs = (0..4).map(|_| self.input(numbers)).collect();
        let Mixed { query, inputs, score } = mixed(inputs, numbers);
        let without: Vec<PointId> = inputs
            .iter()
            .filter_map(|input| match input {
                VectorInput::Id(id) => Some(*id),
                _ => None,
            })
            .collect();
        let examples: Vec<Vector> = inputs.iter().map(|input| self.example(params, input)).collect();
        let scored = |id: &PointId| {
            let row = self.oracle.points[id].vectors.get(name)?;
            let similarities: Vec<Between> = examples
                .iter()
                .map(|example| similarity(params, example, row))
                .collect();
            Some((*id, score(&similarities)))
        };
        let ids = self.matching();
        let all: BTreeMap<PointId, Between> = ids
            .iter()
            .filter(|id| !without.contains(id))
            .filter_map(scored)
            .collect();
        let found = self
            .collection
            .query(&self.request(query.clone()).using(name))
            .unwrap();
        let what = || format!("{query:?} {:?}", self.question);
        assert_eq!(found.len(), all.len().min(self.question.limit), "{}", what());
        let slack = |score: f64| 1e-5 * score.abs().max(1.0);
        for hit in &found {
            let (own, Between(least, most)) = (f64::from(hit.score), all[&hit.id]);
            let slack = slack(own);
            assert!(
                own >= least - slack && own <= most + slack,
                "{hit:?} for {least} to {most}: {}",
                what()
            );
        }
        assert!(
            found.is_sorted_by(|a, b| a.score > b.score || (a.score == b.score && a.id < b.id)),
            "{}",
            what()
        );
        if let Some(last) = found.last() {
            let last = f64::from(last.score);
            for (id, Between(least, _)) in &all {
                let is_found = found.iter().any(|hit| hit.id == *id);
                assert!(
                    is_found || *least <= last + slack(last),
                    "{id} with {least} is left out: {}",
                    what()
                );
            }
        }
    }

    fn order(&self, numbers: &mut Numbers) {
        let at = *numbers.pick(&["n", "d", "k", "b", "o.n", "a[].n", "none"]);
        let kind = self.oracle.indexes.get(at).copied();
        let mut by = OrderBy::new(at);
        by.descending = numbers.one_in(2);
        let mut wanted: Vec<((u8, i128), PointId)> = Vec::new();
        for id in self.matching() {
            let values = path::values(&self.oracle.points[&id].payload, at).into_iter();
            let keys: BTreeSet<(u8, i128)> = values.filter_map(|value| order_key(kind, value)).collect();
            wanted.extend(keys.into_iter().map(|key| (key, id)));
        }
        wanted.sort_by(|(a, x), (b, y)| {
            let order = if by.descending { b.cmp(a) } else { a.cmp(b) };
            order.then(x.cmp(y))
        });
        let mut paged = Vec::new();
        loop {
            let page = self
                .collection
                .query(&self.request(Query::OrderBy(by.clone())).limit(PAGE))
                .unwrap();
            let Some(last) = page.last() else { break };
            by = by.after_point(last);
            paged.extend(page.iter().map(|hit| (key_of(hit.order.unwrap()), hit.id)));
        }
        assert_eq!(paged, wanted, "by {at} under {kind:?}: {:?}", self.question);
    }

    fn facet(&self, numbers: &mut Numbers) {
        let at = *numbers.pick(&["k", "n", "b", "u", "o.k", "a[].n", "a[].k", "none"]);
        let kind = self.oracle.indexes.get(at).copied();
        let mut counts: BTreeMap<FacetValue, u64> = BTreeMap::new();
        for id in self.matching() {
            let values = path::values(&self.oracle.points[&id].payload, at).into_iter();
            let values: BTreeSet<FacetValue> = values.filter_map(|value| facet_value(kind, value)).collect();
            for value in values {
                *counts.entry(value).or_default() += 1;
            }
        }
        let mut wanted: Vec<(FacetValue, u64)> = counts.into_iter().collect();
        wanted.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
        wanted.truncate(self.question.limit);
        let mut request = FacetRequest::new(at).limit(self.question.limit);
        request.filter = self.question.filter.as_ref().map(parse_filter);
        let found = self.collection.facet(&request).unwrap().into_iter();
        let found: Vec<_> = found.map(|hit| (hit.value, hit.count)).collect();
        assert_eq!(found, wanted, "of {at} under {kind:?}: {:?}", self.question);
    }

    /// Groups of the nearest, which are known from a search for all of them.
    fn groups(&self, numbers: &mut Numbers) {
        let name = self.question.using;
        if self.oracle.named(name).is_none() {
            return;
        }
        let at = *numbers.pick(&["k", "n", "o.k", "a[].n", "none"]);
        let (limit, size) = (1 + numbers.below(5) as usize, 1 + numbers.below(6) as usize);
        let target = action::vector_of(name, self.question.seed);
        let nearest = self.request(Query::nearest(target)).using(name);
        let all = self
            .collection
            .query(&nearest.clone().limit(self.oracle.points.len().max(1)))
            .unwrap();
        let mut wanted: Vec<(GroupId, Vec<ScoredPoint>)> = Vec::new();
        for hit in all {
            let values = path::values(&self.oracle.points[&hit.id].payload, at).into_iter();
            let mut seen: Vec<GroupId> = Vec::new();
            for group in values.filter_map(group_id) {
                if seen.contains(&group) {
                    continue;
                }
                seen.push(group.clone());
                match wanted.iter().position(|(known, _)| *known == group) {
                    Some(place) if wanted[place].1.len() < size => wanted[place].1.push(hit.clone()),
                    None if wanted.len() < limit => wanted.push((group, vec![hit.clone()])),
                    Some(_) | None => {}
                }
            }
        }
        let request = GroupRequest::new(nearest.limit(limit), at).group_size(size);
        let found = self.collection.query_groups(&request).unwrap().into_iter();
        let found: Vec<_> = found.map(|group| (group.id, group.hits)).collect();
        assert_eq!(found, wanted, "by {at}: {:?}", self.question);
    }
}

/// Larger for nearer vectors: squared under Euclid.
fn similarity(params: &NamedVectorParams, example: &Vector, row: &Vector) -> Between {
    // Sparse vectors that share nothing have a product of nothing.
    let Some((score, slack)) = score_of(params, example, row) else {
        return Between(0.0, 0.0);
    };
    match distance_of(params) {
        Distance::Euclid => {
            let slack = slack * (2.0 * score + slack);
            Between(-score * score - slack, -score * score + slack)
        }
        Distance::Manhattan => Between(-score - slack, -score + slack),
        Distance::Dot | Distance::Cosine => Between(score - slack, score + slack),
    }
}

/// A value as it is ordered by, twice as large, since halves are the only fractions here; `None` where it does not count.
fn order_key(kind: Option<PayloadIndexKind>, value: &Value) -> Option<(u8, i128)> {
    use PayloadIndexKind::{Datetime, Float, Integer};
    match value {
        Value::Number(number) if kind != Some(Datetime) => match number.as_i64() {
            Some(integer) => Some((0, i128::from(integer) * 2)),
            None if kind == Some(Integer) => None,
            None => Some((0, (number.as_f64().unwrap() * 2.0) as i128)),
        },
        Value::String(text) if !matches!(kind, Some(Integer | Float)) => {
            Some((1, i128::from(datetime::micros(text)?)))
        }
        _ => None,
    }
}

fn key_of(value: OrderValue) -> (u8, i128) {
    match value {
        OrderValue::Integer(integer) => (0, i128::from(integer) * 2),
        OrderValue::Float(float) => (0, (float * 2.0) as i128),
        OrderValue::Datetime(at) => (1, at.micros().into()),
    }
}

fn facet_value(kind: Option<PayloadIndexKind>, value: &Value) -> Option<FacetValue> {
    use PayloadIndexKind::{Bool, Integer, Keyword, Uuid};
    if kind == Some(Uuid) {
        let uuid = value.as_str().and_then(|text| uuid::Uuid::try_parse(text).ok())?;
        return Some(FacetValue::String(uuid.hyphenated().to_string()));
    }
    let counts = |own: PayloadIndexKind| match kind {
        Some(only @ (Keyword | Integer | Bool)) => only == own,
        Some(_) | None => true,
    };
    match value {
        Value::String(text) if counts(Keyword) => Some(FacetValue::String(text.clone())),
        Value::Number(number) if counts(Integer) => number.as_i64().map(FacetValue::Integer),
        Value::Bool(truth) if counts(Bool) => Some(FacetValue::Bool(*truth)),
        _ => None,
    }
}

fn group_id(value: &Value) -> Option<GroupId> {
    match value {
        Value::String(text) => Some(GroupId::String(text.clone())),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(integer), _) => Some(GroupId::Integer(integer)),
            (None, Some(unsigned)) => Some(GroupId::Unsigned(unsigned)),
            (None, None) => None,
        },
        _ => None,
    }
}
