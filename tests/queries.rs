//! Does every kind of query give what looking at all points gives? Over several segments and memory, with rows that died,
//! points without the vector, filters, indexes and without.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a few kinds of JSON values matter, the others do not"
)]

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use vdb::{
    Collection, CollectionConfig, ContextPair, Control, Database, Datetime, Decay, Distance, Error,
    Expression, FacetRequest, FacetValue, FeedbackExample, Filter, Formula, Fusion, GroupId, GroupRequest,
    LookupFrom, MatrixRequest, OptimizerConfig, OrderBy, OrderValue, PayloadIndexKind, Point, PointId,
    Prefetch, Query, QueryRequest, RecommendStrategy, ScoredPoint, VectorInput, VectorParams, Vectors,
};
use vdb_tests::Numbers;
use vdb_tests::oracle::op::parse_filter;
use vdb_tests::oracle::{Aim, Op, OracleCollection, path, vector};

const DIM: usize = 6;
const ROUNDS: u64 = 8;

/// The engine beside a plain map.
struct Both {
    db: Database,
    c: Collection,
    oracle: OracleCollection,
    numbers: Numbers,
    distance: Distance,
}

/// Small whole numbers, so that scores are exact and many tie.
fn whole(numbers: &mut Numbers) -> Vec<f32> {
    (0..DIM).map(|_| numbers.below(5) as f32 - 2.0).collect()
}

fn payload(numbers: &mut Numbers) -> Value {
    let mut payload = json!({"n": numbers.below(40) as i64 - 20, "f": f64::from(numbers.unit())});
    match numbers.below(4) {
        0 => payload["tag"] = json!(format!("t{}", numbers.below(6))),
        1 => payload["tag"] = json!([numbers.below(4), format!("t{}", numbers.below(6)), true]),
        2 => payload["tag"] = json!(numbers.below(4)),
        _ => {}
    }
    match numbers.below(4) {
        0 => payload["many"] = json!([numbers.below(9), numbers.unit(), "2024-05-06", null, "x"]),
        1 => payload["many"] = json!(numbers.below(9)),
        2 => payload["many"] = json!(format!("20{:02}-01-01T00:00:00Z", numbers.below(30))),
        _ => {}
    }
    payload
}

impl Both {
    /// Two segments, one of them with a graph, and memory.
    fn new(seed: u64) -> Both {
        let numbers = Numbers::new(seed);
        let distance = [Distance::Dot, Distance::Euclid, Distance::Manhattan][seed as usize % 3];
        let params = VectorParams::new(DIM, distance);
        let optimizer = OptimizerConfig {
            index_min_rows: 150,
            ..OptimizerConfig::default()
        };
        let config = CollectionConfig::new(params.clone())
            .vector("other", params)
            .optimizer(optimizer);
        let db = Database::builder().background(false).open_in_memory().unwrap();
        let c = db.create_collection("c", config.clone()).unwrap();
        let mut both = Both {
            db,
            c,
            oracle: OracleCollection::new(config),
            numbers,
            distance,
        };
        both.write(0..200);
        both.c.optimize(&Control::none()).unwrap();
        both.write(150..260);
        both.c.flush().unwrap();
        if seed.is_multiple_of(2) {
            let kinds = [("n", PayloadIndexKind::Integer), ("f", PayloadIndexKind::Float)];
            for (path, kind) in kinds {
                both.c.create_payload_index(path, kind).unwrap();
            }
            both.c.optimize(&Control::none()).unwrap();
        }
        both.write(240..300);
        let dead = (0..300u64)
            .filter(|_| both.numbers.one_in(7))
            .map(PointId::from)
            .collect();
        both.apply(&Op::Delete(Aim::Ids(dead)));
        both
    }

    fn apply(&mut self, op: &Op) {
        self.c.apply(op.operation()).unwrap();
        self.oracle.apply(op).unwrap();
    }

    fn write(&mut self, ids: std::ops::Range<u64>) {
        let numbers = &mut self.numbers;
        let point = |id: u64| {
            let mut vectors = Vectors::default();
            if !numbers.one_in(9) {
                vectors = vectors.with("", whole(numbers));
            }
            if !numbers.one_in(5) {
                vectors = vectors.with("other", whole(numbers));
            }
            Point::new(id, vectors).payload(payload(numbers)).unwrap()
        };
        let points = ids.map(point).collect();
        self.apply(&Op::upsert(points));
    }

    fn filter(&mut self) -> Option<Value> {
        let n = self.numbers.below(40) as i64 - 20;
        match self.numbers.below(4) {
            0 => None,
            1 => Some(json!({"must": [{"key": "n", "range": {"gte": n}}]})),
            2 => Some(json!({"must_not": [{"key": "tag", "match": {"value": "t1"}}]})),
            _ => Some(json!({"should": [
                {"key": "n", "range": {"lt": n}}, {"key": "tag", "match": {"any": [1, 2]}},
            ]})),
        }
    }

    /// A point that has the vector.
    fn example(&mut self, name: &str) -> PointId {
        let having = self.oracle.points.iter();
        let having: Vec<PointId> = having
            .filter(|(_, point)| point.vectors.contains_key(name))
            .map(|(id, _)| *id)
            .collect();
        *self.numbers.pick(&having)
    }

    fn input(&mut self, name: &str) -> VectorInput {
        if self.numbers.one_in(2) {
            self.example(name).into()
        } else {
            whole(&mut self.numbers).into()
        }
    }

    fn numbers_of(&self, input: &VectorInput, name: &str) -> Vec<f32> {
        match input {
            VectorInput::Vector(vector) => vector.as_dense().unwrap().to_vec(),
            VectorInput::Id(id) => self.oracle.points[id].vectors[name].as_dense().unwrap().to_vec(),
            _ => unreachable!("no other kind"),
        }
    }

    /// Larger for nearer points.
    fn similarity(&self, a: &[f32], b: &[f32]) -> f64 {
        let params = VectorParams::new(DIM, self.distance);
        let score = vector::score(&params, a, b);
        match self.distance {
            Distance::Euclid => -a
                .iter()
                .zip(b)
                .map(|(a, b)| f64::from(a - b).powi(2))
                .sum::<f64>(),
            Distance::Manhattan => -score,
            Distance::Dot | Distance::Cosine => score,
        }
    }

    fn public(&self, similarity: f64) -> f64 {
        match self.distance {
            Distance::Euclid => (-similarity).sqrt(),
            Distance::Manhattan => -similarity,
            Distance::Dot | Distance::Cosine => similarity,
        }
    }

    /// All points that match and have the vector by a score, best first, without the examples.
    fn ranked(
        &self,
        name: &str,
        (filter, without): (Option<&Value>, &[PointId]),
        score: impl Fn(&[f32]) -> f64,
    ) -> Vec<(PointId, f64)> {
        let found = self.oracle.matching(filter).into_iter();
        let found = found.filter(|id| !without.contains(id));
        let scored =
            found.filter_map(|id| Some((id, score(self.oracle.points[&id].vectors.get(name)?.as_dense()?))));
        let mut ranked: Vec<(PointId, f64)> = scored.collect();
        ranked.sort_by(|a, b| (b.1 as f32).total_cmp(&(a.1 as f32)).then(a.0.cmp(&b.0)));
        ranked
    }
}

fn ids_of(inputs: &[&VectorInput]) -> Vec<PointId> {
    let ids = inputs.iter().filter_map(|input| match input {
        VectorInput::Id(id) => Some(*id),
        _ => None,
    });
    ids.collect()
}

fn g(x: f64) -> f64 {
    0.5 * (x / (1.0 + x.abs()) + 1.0)
}

fn agree(found: &[ScoredPoint], wanted: &[(PointId, f64)], what: &str) {
    let ids: Vec<PointId> = found.iter().map(|hit| hit.id).collect();
    let wanted_ids: Vec<PointId> = wanted.iter().map(|(id, _)| *id).collect();
    assert_eq!(ids, wanted_ids, "{what}");
    for (hit, (id, score)) in found.iter().zip(wanted) {
        let off = (f64::from(hit.score) - score).abs();
        assert!(
            off <= 1e-5 * score.abs().max(1.0),
            "{what}: {id}: {}, not {score}",
            hit.score
        );
    }
}

fn page<T: Clone>(all: &[T], offset: usize, limit: usize) -> Vec<T> {
    all.iter().skip(offset).take(limit).cloned().collect()
}

fn request(query: Query, name: &str, filter: Option<&Value>) -> QueryRequest {
    let request = QueryRequest::new(query).using(name).exact(true);
    match filter {
        Some(filter) => request.filter(parse_filter(filter)),
        None => request,
    }
}

#[test]
fn nearest_and_average_vectors_are_searches() {
    for seed in 0..ROUNDS {
        let mut both = Both::new(seed);
        for name in ["", "other"] {
            let filter = both.filter();
            let target = both.input(name);
            let without = ids_of(&[&target]);
            let numbers = both.numbers_of(&target, name);
            let score = |row: &[f32]| both.similarity(&numbers, row);
            let ranked = both.ranked(name, (filter.as_ref(), &without), score);
            let public: Vec<_> = ranked.iter().map(|&(id, s)| (id, both.public(s))).collect();
            let asked = request(Query::Nearest(target), name, filter.as_ref())
                .offset(3)
                .limit(12);
            agree(&both.c.query(&asked).unwrap(), &page(&public, 3, 12), "nearest");

            let (a, b, away) = (both.input(name), both.input(name), both.input(name));
            let [of_a, of_b, of_away] = [&a, &b, &away].map(|input| both.numbers_of(input, name));
            let mean: Vec<f32> = (0..DIM).map(|i| of_a[i] + of_b[i] - of_away[i]).collect();
            let without = ids_of(&[&a, &b, &away]);
            let score = |row: &[f32]| both.similarity(&mean, row);
            let ranked = both.ranked(name, (filter.as_ref(), &without), score);
            let public: Vec<_> = ranked.iter().map(|&(id, s)| (id, both.public(s))).collect();
            let asked = request(Query::recommend([a, b], [away]), name, filter.as_ref()).limit(20);
            agree(&both.c.query(&asked).unwrap(), &page(&public, 0, 20), "average");
        }
    }
}

#[test]
fn examples_score_every_point_as_their_formulas_say() {
    for seed in 0..ROUNDS {
        let mut both = Both::new(seed);
        let filter = both.filter();
        let name = ["", "other"][seed as usize % 2];
        let inputs: Vec<VectorInput> = (0..5).map(|_| both.input(name)).collect();
        let without = ids_of(&inputs.iter().collect::<Vec<_>>());
        let vectors: Vec<Vec<f32>> = inputs.iter().map(|input| both.numbers_of(input, name)).collect();
        let pair = |positive: usize, negative: usize| ContextPair {
            positive: inputs[positive].clone(),
            negative: inputs[negative].clone(),
        };
        let scores = [3.0f32, 1.0, 1.0, 2.5];
        let example = |at: usize| FeedbackExample {
            example: inputs[at + 1].clone(),
            score: scores[at],
        };
        let recommend = |strategy| Query::Recommend {
            positive: inputs[..3].to_vec(),
            negative: inputs[3..].to_vec(),
            strategy,
        };
        let kinds = [
            recommend(RecommendStrategy::BestScore),
            recommend(RecommendStrategy::SumScores),
            Query::Discover {
                target: inputs[0].clone(),
                context: vec![pair(1, 2), pair(3, 4)],
            },
            Query::Context(vec![pair(0, 1), pair(1, 2), pair(3, 4)]),
            Query::Feedback {
                target: inputs[0].clone(),
                examples: (0..4).map(example).collect(),
                a: 0.7,
                b: 1.5,
                c: 0.3,
            },
        ];
        let max = |some: &[f64]| some.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        for (kind, query) in kinds.into_iter().enumerate() {
            let naive = |row: &[f32]| {
                let s: Vec<f64> = vectors
                    .iter()
                    .map(|example| both.similarity(example, row))
                    .collect();
                match kind {
                    0 => {
                        let (p, n) = (max(&s[..3]), max(&s[3..]));
                        if p > n { g(p) } else { -g(n) }
                    }
                    1 => s[..3].iter().sum::<f64>() - s[3..].iter().sum::<f64>(),
                    2 => {
                        let side = |p: f64, n: f64| f64::from(u8::from(p > n)) - f64::from(u8::from(p < n));
                        side(s[1], s[2]) + side(s[3], s[4]) + g(s[0])
                    }
                    3 => [(0, 1), (1, 2), (3, 4)]
                        .map(|(p, n)| (s[p] - s[n] - f64::from(f32::EPSILON)).min(0.0))
                        .map(|x| x / (1.0 + x.abs()))
                        .iter()
                        .sum(),
                    _ => {
                        let (a, b, c) = (f64::from(0.7f32), f64::from(1.5f32), f64::from(0.3f32));
                        let mut sum = a * s[0];
                        for i in 0..4 {
                            for j in 0..4 {
                                let gap = f64::from(scores[i] - scores[j]);
                                if gap > 0.0 {
                                    sum += gap.powf(b) * c * (s[i + 1] - s[j + 1]);
                                }
                            }
                        }
                        sum
                    }
                }
            };
            let ranked = both.ranked(name, (filter.as_ref(), &without), naive);
            let asked = request(query.clone(), name, filter.as_ref()).limit(15).offset(2);
            let found = both.c.query(&asked).unwrap();
            if kind == 4 {
                // Sums in another order round in another way: ties may be told apart.
                let wanted = page(&ranked, 2, 15);
                assert_eq!(found.len(), wanted.len());
                let all: BTreeMap<PointId, f64> = ranked.iter().copied().collect();
                for (hit, (_, at)) in found.iter().zip(wanted) {
                    let own = all[&hit.id];
                    assert!((f64::from(hit.score) - own).abs() <= 1e-5 * own.abs().max(1.0));
                    assert!((own - at).abs() <= 1e-5 * own.abs().max(1.0));
                }
                continue;
            }
            agree(&found, &page(&ranked, 2, 15), &format!("{query:?}"));
            let median = ranked[ranked.len() / 2].1 as f32;
            // Above the best, and below all: over distances the one keeps everything, the other nothing.
            for bar in [
                median,
                ranked[0].1 as f32 + 1.0,
                ranked[ranked.len() - 1].1 as f32 - 1.0,
            ] {
                let kept = ranked.iter().take_while(|(_, score)| {
                    if both.distance.larger_is_nearer() {
                        *score as f32 > bar
                    } else {
                        (*score as f32) < bar
                    }
                });
                let kept: Vec<_> = kept.copied().collect();
                let found = both
                    .c
                    .query(&asked.clone().offset(0).limit(1000).score_threshold(bar))
                    .unwrap();
                agree(&found, &kept, "threshold");
            }
            // The same among what other queries found.
            let prefetched = asked
                .clone()
                .prefetch(Prefetch::new(None).limit(60))
                .prefetch(Prefetch::new(Query::Sample { seed: Some(seed) }).limit(60));
            let lists = [
                both.c
                    .query(&QueryRequest {
                        query: None,
                        using: String::new(),
                        limit: 60,
                        offset: 0,
                        ..asked.clone()
                    })
                    .unwrap(),
                both.c
                    .query(&QueryRequest {
                        query: Some(Query::Sample { seed: Some(seed) }),
                        using: String::new(),
                        limit: 60,
                        offset: 0,
                        ..asked.clone()
                    })
                    .unwrap(),
            ];
            // As prefetches neither of them has the examples.
            let found = both.c.query(&prefetched.limit(1000).offset(0)).unwrap();
            let among: BTreeSet<PointId> = lists.iter().flatten().map(|hit| hit.id).collect();
            let found_ids: BTreeSet<PointId> = found.iter().map(|hit| hit.id).collect();
            let kept: Vec<_> = ranked
                .iter()
                .filter(|(id, _)| found_ids.contains(id))
                .copied()
                .collect();
            agree(&found, &kept, "among prefetched");
            let missing = ranked
                .iter()
                .filter(|(id, _)| among.contains(id) && !found_ids.contains(id));
            assert_eq!(missing.count(), 0);
        }
    }
}

#[test]
fn diverse_results_are_chosen_one_by_one() {
    for seed in 0..ROUNDS {
        let mut both = Both::new(seed);
        let filter = both.filter();
        let target = both.input("");
        let numbers = both.numbers_of(&target, "");
        let without = ids_of(&[&target]);
        let ranked = both.ranked("", (filter.as_ref(), &without), |row| {
            both.similarity(&numbers, row)
        });
        let mut left = page(&ranked, 0, 30);
        let mut chosen: Vec<(PointId, f64)> = Vec::new();
        let relevance = f64::from(1.0 - 0.4f32);
        while chosen.len() < 10 && !left.is_empty() {
            let worth = |&(id, near): &(PointId, f64)| {
                let row = |id: PointId| both.oracle.points[&id].vectors[""].as_dense().unwrap();
                let most = chosen.iter().map(|&(one, _)| both.similarity(row(id), row(one)));
                most.reduce(f64::max)
                    .map_or(near, |most| relevance * near - (1.0 - relevance) * most)
            };
            let worths: Vec<f64> = left.iter().map(worth).collect();
            let best = (0..left.len()).reduce(|a, b| if worths[b] > worths[a] { b } else { a });
            chosen.push(left.remove(best.unwrap()));
        }
        let chosen: Vec<_> = chosen.iter().map(|&(id, s)| (id, both.public(s))).collect();
        let query = Query::Mmr {
            target,
            diversity: 0.4,
            candidates: Some(30),
        };
        let asked = request(query, "", filter.as_ref());
        agree(&both.c.query(&asked.clone().limit(10)).unwrap(), &chosen, "mmr");
        // The offset shortens the page.
        agree(
            &both.c.query(&asked.limit(10).offset(4)).unwrap(),
            &page(&chosen, 4, 10),
            "mmr page",
        );
    }
}

#[test]
fn lists_are_fused_and_scored_by_formulas() {
    for seed in 0..ROUNDS {
        let mut both = Both::new(seed);
        let (root, own) = (both.filter(), both.filter());
        let targets = [both.input(""), both.input("other")];
        let without = ids_of(&targets.iter().collect::<Vec<_>>());
        let mut lists = Vec::new();
        let mut prefetches = Vec::new();
        for (target, name) in targets.iter().zip(["", "other"]) {
            let numbers = both.numbers_of(target, name);
            let ranked = both.ranked(name, (root.as_ref(), &without), |row| {
                both.similarity(&numbers, row)
            });
            let kept = ranked
                .into_iter()
                .filter(|(id, _)| own.as_ref().is_none_or(|own| both.oracle.matches(*id, own)));
            let list: Vec<_> = kept.map(|(id, s)| (id, both.public(s))).take(25).collect();
            lists.push(list);
            let mut prefetch = Prefetch::new(Query::Nearest(target.clone()))
                .using(name)
                .limit(25)
                .exact(true);
            prefetch.filter = own.as_ref().map(parse_filter);
            prefetches.push(prefetch);
        }
        let ask = |query: Query| {
            let mut asked = request(query, "", root.as_ref()).limit(30).offset(1);
            asked.prefetch = prefetches.clone();
            both.c.query(&asked).unwrap()
        };
        let ranked = |scores: BTreeMap<PointId, f64>| {
            let mut ranked: Vec<(PointId, f64)> = scores.into_iter().collect();
            ranked.sort_by(|a, b| (b.1 as f32).total_cmp(&(a.1 as f32)).then(a.0.cmp(&b.0)));
            page(&ranked, 1, 30)
        };

        let mut sums: BTreeMap<PointId, f64> = BTreeMap::new();
        for (list, weight) in lists.iter().zip([3.0, 0.5]) {
            for (rank, (id, _)) in list.iter().enumerate() {
                *sums.entry(*id).or_default() += 1.0 / ((rank as f64 + 1.0) / weight + 7.0 - 1.0);
            }
        }
        let weights = Some(vec![3.0, 0.5]);
        agree(
            &ask(Query::Fusion(Fusion::Rrf { k: 7, weights })),
            &ranked(sums),
            "rrf",
        );

        let mut sums: BTreeMap<PointId, f64> = BTreeMap::new();
        for list in &lists {
            let count = list.len() as f64;
            let mean = list.iter().map(|(_, s)| s).sum::<f64>() / count;
            let deviation =
                (list.iter().map(|(_, s)| (s - mean).powi(2)).sum::<f64>() / (count - 1.0)).sqrt();
            for (id, s) in list {
                let share = if deviation > 0.0 {
                    (s - mean + 3.0 * deviation) / (6.0 * deviation)
                } else {
                    0.5
                };
                *sums.entry(*id).or_default() += share;
            }
        }
        let found = ask(Query::Fusion(Fusion::Dbsf));
        for hit in &found {
            assert!((f64::from(hit.score) - sums[&hit.id]).abs() < 1e-4);
        }
        assert!(found.is_sorted_by(|a, b| (b.score, a.id) <= (a.score, b.id)));

        let formula = Expression::variable("$score[1]") * 0.5.into()
            + Expression::variable("n").decay(Decay::Gaussian, 3.0, 5.0)
            + Expression::from(vdb::Condition::matches("tag", "t2"));
        let mut scores: BTreeMap<PointId, f64> = BTreeMap::new();
        for (id, _) in lists.iter().flatten() {
            let point = &both.oracle.points[id];
            let of_second = lists[1].iter().find(|(other, _)| other == id);
            let n = point.payload["n"].as_f64().unwrap();
            let has_tag = path::values(&point.payload, "tag").contains(&&json!("t2"));
            let near = 0.5f64.powf((n - 3.0).powi(2) / 25.0);
            let score = of_second.map_or(0.25, |(_, s)| f64::from(*s as f32)) * 0.5
                + near
                + f64::from(u8::from(has_tag));
            scores.insert(*id, score);
        }
        let formula = Formula::new(formula).default_value("$score[1]", 0.25);
        let found = ask(Query::Formula(formula));
        let wanted = ranked(scores.clone());
        assert_eq!(found.len(), wanted.len());
        for (hit, (_, at)) in found.iter().zip(&wanted) {
            assert!((f64::from(hit.score) - scores[&hit.id]).abs() < 1e-5);
            assert!((f64::from(hit.score) - at).abs() < 1e-5);
        }
    }
}

/// As a number that orders: numbers first, then datetimes.
fn order_key(value: &Value) -> Option<(u8, f64)> {
    match value {
        Value::Number(number) => Some((0, number.as_f64()?)),
        Value::String(text) => Some((1, text.parse::<Datetime>().ok()?.micros() as f64)),
        _ => None,
    }
}

fn key_of(value: OrderValue) -> (u8, f64) {
    match value {
        OrderValue::Integer(number) => (0, number as f64),
        OrderValue::Float(number) => (0, number),
        OrderValue::Datetime(at) => (1, at.micros() as f64),
    }
}

#[test]
fn orders_follow_payload_values_page_by_page() {
    for seed in 0..ROUNDS {
        let mut both = Both::new(seed);
        let filter = both.filter();
        for (path, descending) in [("n", false), ("f", true), ("many", true), ("many", false)] {
            let mut wanted: Vec<((u8, f64), PointId)> = Vec::new();
            for id in both.oracle.matching(filter.as_ref()) {
                let values = path::values(&both.oracle.points[&id].payload, path);
                wanted.extend(values.into_iter().filter_map(order_key).map(|key| (key, id)));
            }
            wanted.sort_by(|(a, x), (b, y)| {
                let order = a.partial_cmp(b).unwrap();
                if descending { order.reverse() } else { order }.then(x.cmp(y))
            });
            let entries = |found: &[ScoredPoint]| -> Vec<((u8, f64), PointId)> {
                found
                    .iter()
                    .map(|hit| (key_of(hit.order.unwrap()), hit.id))
                    .collect()
            };
            let mut by = OrderBy::new(path);
            by.descending = descending;
            let all = request(Query::OrderBy(by.clone()), "", filter.as_ref()).limit(1000);
            let found = both.c.query(&all).unwrap();
            assert_eq!(entries(&found), wanted, "{path}");
            assert!(found.iter().all(|hit| hit.score == 1.0));
            let mut paged = Vec::new();
            let mut next = by.clone();
            loop {
                let asked = request(Query::OrderBy(next.clone()), "", filter.as_ref()).limit(7);
                let found = both.c.query(&asked).unwrap();
                let Some(last) = found.last() else { break };
                next = next.after_point(last);
                paged.extend(entries(&found));
            }
            assert_eq!(paged, wanted, "{path}");
            let started = by.clone().start_from(2i64);
            let asked = request(Query::OrderBy(started), "", filter.as_ref()).limit(1000);
            let from = wanted.iter().filter(|(key, _)| {
                if descending {
                    *key <= (0, 2.0)
                } else {
                    *key >= (0, 2.0)
                }
            });
            let from: Vec<_> = from.copied().collect();
            assert_eq!(entries(&both.c.query(&asked).unwrap()), from, "{path}");
        }
    }
}

#[test]
fn ids_and_samples_are_of_what_matches() {
    for seed in 0..ROUNDS {
        let mut both = Both::new(seed);
        let filter = both.filter();
        let matching = both.oracle.matching(filter.as_ref());
        let mut plain = QueryRequest::new(None).limit(20).offset(5);
        plain.filter = filter.as_ref().map(parse_filter);
        let ids = |found: Vec<ScoredPoint>| -> Vec<PointId> { found.iter().map(|hit| hit.id).collect() };
        assert_eq!(ids(both.c.query(&plain).unwrap()), page(&matching, 5, 20));
        let sample = |seed, limit| {
            let asked = QueryRequest {
                query: Some(Query::Sample { seed }),
                limit,
                offset: 0,
                ..plain.clone()
            };
            ids(both.c.query(&asked).unwrap())
        };
        let drawn = sample(Some(seed), 20);
        assert_eq!(drawn, sample(Some(seed), 20));
        assert_eq!(drawn[..], sample(Some(seed), 40)[..drawn.len()]);
        let once: BTreeSet<PointId> = drawn.iter().copied().collect();
        assert_eq!(once.len(), matching.len().min(20));
        assert!(once.iter().all(|id| matching.contains(id)));
        let mut all = sample(None, 1000);
        all.sort_unstable();
        assert_eq!(all, matching);
    }
}

#[test]
fn groups_hold_the_best_of_each_value() {
    for seed in 0..ROUNDS {
        let mut both = Both::new(seed);
        if seed % 3 == 1 {
            both.c
                .create_payload_index("tag", PayloadIndexKind::Keyword)
                .unwrap();
        }
        let filter = both.filter();
        let target = both.input("");
        let numbers = both.numbers_of(&target, "");
        let without = ids_of(&[&target]);
        let ranked = both.ranked("", (filter.as_ref(), &without), |row| {
            both.similarity(&numbers, row)
        });
        for (limit, size) in [(3, 2), (5, 30), (50, 4)] {
            let mut wanted: Vec<(GroupId, Vec<(PointId, f64)>)> = Vec::new();
            for &(id, s) in &ranked {
                let mut seen = Vec::new();
                for value in path::values(&both.oracle.points[&id].payload, "tag") {
                    let group = match value {
                        Value::Number(number) => GroupId::Integer(number.as_i64().unwrap()),
                        Value::String(text) => GroupId::String(text.clone()),
                        _ => continue,
                    };
                    if seen.contains(&group) {
                        continue;
                    }
                    seen.push(group.clone());
                    let hit = (id, both.public(s));
                    match wanted.iter().position(|(known, _)| *known == group) {
                        Some(at) if wanted[at].1.len() < size => wanted[at].1.push(hit),
                        None if wanted.len() < limit => wanted.push((group, vec![hit])),
                        Some(_) | None => {}
                    }
                }
            }
            let asked = request(Query::Nearest(target.clone()), "", filter.as_ref()).limit(limit);
            let found = both
                .c
                .query_groups(&GroupRequest::new(asked, "tag").group_size(size))
                .unwrap();
            assert_eq!(found.len(), wanted.len());
            for (group, (id, hits)) in found.iter().zip(&wanted) {
                assert_eq!(&group.id, id);
                agree(&group.hits, hits, "group");
            }
        }
    }
}

#[test]
fn facets_count_every_point_once_a_value() {
    for seed in 0..ROUNDS {
        let mut both = Both::new(seed);
        let filter = both.filter();
        for kind in [
            None,
            Some(PayloadIndexKind::Keyword),
            Some(PayloadIndexKind::Integer),
        ] {
            if let Some(kind) = kind {
                both.c.create_payload_index("tag", kind).unwrap();
                both.c.optimize(&Control::none()).unwrap();
            }
            let mut counts: BTreeMap<FacetValue, u64> = BTreeMap::new();
            for id in both.oracle.matching(filter.as_ref()) {
                let values = path::values(&both.oracle.points[&id].payload, "tag");
                let values: BTreeSet<FacetValue> = values
                    .into_iter()
                    .filter_map(|value| match value {
                        Value::String(text) => Some(FacetValue::String(text.clone())),
                        Value::Number(number) => Some(FacetValue::Integer(number.as_i64()?)),
                        Value::Bool(truth) => Some(FacetValue::Bool(*truth)),
                        _ => None,
                    })
                    .filter(|value| match kind {
                        None => true,
                        Some(PayloadIndexKind::Keyword) => matches!(value, FacetValue::String(_)),
                        Some(_) => matches!(value, FacetValue::Integer(_)),
                    })
                    .collect();
                for value in values {
                    *counts.entry(value).or_default() += 1;
                }
            }
            let mut wanted: Vec<(FacetValue, u64)> = counts.into_iter().collect();
            wanted.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
            for limit in [3, 100] {
                let mut asked = FacetRequest::new("tag").limit(limit);
                asked.filter = filter.as_ref().map(parse_filter);
                let found = both.c.facet(&asked).unwrap().into_iter();
                let found: Vec<_> = found.map(|hit| (hit.value, hit.count)).collect();
                assert_eq!(found, page(&wanted, 0, limit), "{kind:?}");
            }
        }
    }
}

#[test]
fn a_matrix_has_the_nearest_of_its_sample() {
    for seed in 0..ROUNDS {
        let mut both = Both::new(seed);
        let filter = both.filter();
        let mut asked = MatrixRequest::new().sample(15).limit(4).using("other").seed(seed);
        asked.filter = filter.as_ref().map(parse_filter);
        let matrix = both.c.distance_matrix(&asked).unwrap();
        let matching = both.oracle.matching(filter.as_ref());
        let having = matching
            .iter()
            .filter(|id| both.oracle.points[*id].vectors.contains_key("other"));
        assert_eq!(matrix.ids.len(), having.count().min(15));
        assert!(matrix.ids.is_sorted_by(|a, b| a < b));
        let row = |id: &PointId| both.oracle.points[id].vectors["other"].as_dense().unwrap();
        let mut wanted = Vec::new();
        for a in &matrix.ids {
            let others = matrix.ids.iter().filter(|b| *b != a);
            let mut scored: Vec<(PointId, f64)> =
                others.map(|b| (*b, both.similarity(row(a), row(b)))).collect();
            scored.sort_by(|x, y| y.1.total_cmp(&x.1).then(x.0.cmp(&y.0)));
            wanted.extend(
                scored
                    .into_iter()
                    .take(4)
                    .map(|(b, s)| (*a, b, both.public(s) as f32)),
            );
        }
        assert_eq!(matrix.pairs().collect::<Vec<_>>(), wanted);
        let (rows, columns, scores) = matrix.offsets();
        let offsets = rows.iter().zip(&columns).zip(&scores);
        let pairs = offsets.map(|((&row, &column), &score)| (matrix.ids[row], matrix.ids[column], score));
        assert_eq!(pairs.collect::<Vec<_>>(), wanted);
    }
}

#[test]
fn filters_of_outer_queries_hold_in_inner_ones() {
    let both = Both::new(1);
    let n = |range: Value| parse_filter(&json!({"must": [{"key": "n", "range": range}]}));
    let deepest = Prefetch::new(None).limit(1000);
    let middle = Prefetch::new(Query::OrderBy(OrderBy::new("n")))
        .prefetch(deepest)
        .filter(n(json!({"gte": -5})))
        .limit(1000);
    let asked = QueryRequest::new(Query::Fusion(Fusion::rrf()))
        .prefetch(middle)
        .prefetch(
            Prefetch::new(Query::Sample { seed: None })
                .limit(1000)
                .filter(n(json!({"gte": 15}))),
        )
        .filter(n(json!({"lt": 18})))
        .limit(1000);
    let found: BTreeSet<PointId> = both.c.query(&asked).unwrap().iter().map(|hit| hit.id).collect();
    let wanted = both.oracle.matching(Some(
        &json!({"must": [{"key": "n", "range": {"gte": -5, "lt": 18}}]}),
    ));
    assert_eq!(found, wanted.into_iter().collect());
}

#[test]
fn vectors_of_another_collection_leave_its_ids_in_the_results() {
    let both = Both::new(0);
    let config = CollectionConfig::new(VectorParams::new(DIM, Distance::Cosine))
        .vector("v", VectorParams::new(DIM, Distance::Dot));
    let other = both.db.create_collection("examples", config).unwrap();
    let id = *both
        .oracle
        .points
        .iter()
        .find(|(_, point)| point.vectors.contains_key(""))
        .unwrap()
        .0;
    let numbers = both.oracle.points[&id].vectors[""].clone();
    other
        .upsert(vec![Point::new(
            id,
            Vectors::default().with("v", numbers.clone()),
        )])
        .unwrap();
    let from = |collection: &str, vector: Option<&str>| LookupFrom {
        collection: collection.into(),
        vector: vector.map(str::to_owned),
    };
    let asked = QueryRequest::new(Query::nearest(id)).exact(true).limit(1000);
    let by_numbers = both
        .c
        .query(&QueryRequest::new(Query::nearest(numbers)).exact(true).limit(1000))
        .unwrap();
    let found = both
        .c
        .query(&asked.clone().lookup_from(from("examples", Some("v"))))
        .unwrap();
    assert_eq!(found, by_numbers);
    both.db.create_alias("same", "c").unwrap();
    let own = both
        .c
        .query(&asked.clone().lookup_from(from("same", None)))
        .unwrap();
    assert_eq!(own, both.c.query(&asked).unwrap());
    assert_eq!(own.len() + 1, by_numbers.len());
    assert!(matches!(
        both.c.query(&asked.clone().lookup_from(from("nowhere", None))),
        Err(Error::CollectionNotFound { name }) if name == "nowhere"
    ));
    let unnamed = both.c.query(&asked.lookup_from(from("examples", None)));
    assert!(
        matches!(unnamed, Err(Error::PointWithoutVector { id: found, .. }) if found == id),
        "{unnamed:?}"
    );
    let missing = both.c.query(&QueryRequest::new(Query::nearest(999_999u64)));
    assert!(matches!(missing, Err(Error::PointNotFound { .. })));
}

#[test]
fn graphs_find_about_what_scans_find_and_batches_what_single_queries_find() {
    let db = Database::builder().background(false).open_in_memory().unwrap();
    let config = CollectionConfig::new(VectorParams::new(16, Distance::Cosine));
    let c = db.create_collection("c", config).unwrap();
    let mut numbers = Numbers::new(3);
    c.upsert(
        (0..6_000u64)
            .map(|id| Point::new(id, numbers.vector(16)))
            .collect(),
    )
    .unwrap();
    c.optimize(&Control::none()).unwrap();
    let kinds = [
        Query::nearest(5u64),
        Query::recommend([1u64, 2], [3]),
        Query::Mmr {
            target: 9u64.into(),
            diversity: 0.2,
            candidates: Some(50),
        },
        Query::Context(vec![ContextPair {
            positive: 1u64.into(),
            negative: 2u64.into(),
        }]),
        Query::Sample { seed: Some(4) },
    ];
    let requests: Vec<QueryRequest> = kinds.into_iter().map(QueryRequest::new).collect();
    let together = c.query_batch(&requests).unwrap();
    for (request, found) in requests.iter().zip(&together) {
        assert_eq!(&c.query(request).unwrap(), found);
        let exact = c.query(&request.clone().exact(true)).unwrap();
        let same = found
            .iter()
            .filter(|hit| exact.iter().any(|other| other.id == hit.id));
        assert!(same.count() >= 8, "{request:?}");
    }
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let both = Both::new(2);
    let nearest = || Query::nearest(vec![0.0; DIM]);
    let fusion = || Query::Fusion(Fusion::rrf());
    let prefetch = || Prefetch::new(nearest());
    let refused = [
        QueryRequest::new(nearest()).limit(0),
        QueryRequest::new(nearest()).ef(0),
        QueryRequest::new(nearest()).score_threshold(f32::NAN),
        QueryRequest::new(None).score_threshold(0.5),
        QueryRequest::new(Query::OrderBy(OrderBy::new("n"))).score_threshold(0.5),
        QueryRequest::new(None).prefetch(prefetch()),
        QueryRequest::new(fusion()),
        QueryRequest::new(fusion()).prefetch(prefetch()).using("other"),
        QueryRequest::new(fusion()).prefetch(prefetch().limit(0)),
        QueryRequest::new(Query::Formula(Formula::new(1.0))),
        QueryRequest::new(Query::Fusion(Fusion::Rrf { k: 0, weights: None })).prefetch(prefetch()),
        QueryRequest::new(Query::Fusion(Fusion::Rrf {
            k: 2,
            weights: Some(vec![1.0, 2.0]),
        }))
        .prefetch(prefetch()),
        QueryRequest::new(Query::Fusion(Fusion::Rrf {
            k: 2,
            weights: Some(vec![-1.0]),
        }))
        .prefetch(prefetch()),
        QueryRequest::new(Query::recommend([] as [u64; 0], [1u64])),
        QueryRequest::new(Query::Recommend {
            positive: Vec::new(),
            negative: Vec::new(),
            strategy: RecommendStrategy::BestScore,
        }),
        QueryRequest::new(Query::Context(Vec::new())),
        QueryRequest::new(Query::Mmr {
            target: 1u64.into(),
            diversity: 1.5,
            candidates: None,
        }),
        QueryRequest::new(Query::Mmr {
            target: 1u64.into(),
            diversity: 0.5,
            candidates: Some(0),
        }),
        QueryRequest::new(Query::Feedback {
            target: 1u64.into(),
            examples: Vec::new(),
            a: 1.0,
            b: 1.0,
            c: 1.0,
        }),
    ];
    for request in refused {
        let outcome = both.c.query(&request);
        assert!(
            matches!(outcome, Err(Error::InvalidRequest(_))),
            "{request:?}: {outcome:?}"
        );
    }
    let deep = (0..vdb::MAX_PREFETCH_DEPTH).fold(prefetch(), |inner, _| prefetch().prefetch(inner));
    let outcome = both.c.query(&QueryRequest::new(nearest()).prefetch(deep));
    assert!(matches!(outcome, Err(Error::Limit { .. })), "{outcome:?}");
    let wide = QueryRequest::new(nearest()).limit(usize::MAX);
    assert!(matches!(both.c.query(&wide), Err(Error::Limit { .. })));
    let short = QueryRequest::new(Query::nearest([1.0]));
    assert!(matches!(both.c.query(&short), Err(Error::WrongDimension { .. })));
    let grouped = GroupRequest::new(QueryRequest::new(nearest()).offset(1), "tag");
    assert!(both.c.query_groups(&grouped).is_err());
    assert!(both.c.facet(&FacetRequest::new("tag").limit(0)).is_err());
    assert!(both.c.distance_matrix(&MatrixRequest::new().sample(1)).is_err());
    let unknown: Filter = parse_filter(&json!({"must": [{"key": "n", "match": {"value": 1}}]}));
    let stopped = || true;
    let control = Control::cancelled_by(&stopped);
    let outcome = both
        .c
        .query_with(&QueryRequest::new(None).filter(unknown), &control);
    assert!(matches!(outcome, Err(Error::Cancelled)));
}

/// One of each kind, of all points or of prefetches.
fn one_of_each() -> Vec<QueryRequest> {
    let pair = || ContextPair {
        positive: vec![1.0; DIM].into(),
        negative: vec![-1.0; DIM].into(),
    };
    let target = || VectorInput::from(vec![0.5; DIM]);
    let recommend = |strategy| Query::Recommend {
        positive: vec![target()],
        negative: vec![vec![-2.0; DIM].into()],
        strategy,
    };
    let kinds = [
        Query::Nearest(target()),
        Query::Mmr {
            target: target(),
            diversity: 0.5,
            candidates: Some(100),
        },
        recommend(RecommendStrategy::AverageVector),
        recommend(RecommendStrategy::BestScore),
        recommend(RecommendStrategy::SumScores),
        Query::Discover {
            target: target(),
            context: vec![pair()],
        },
        Query::Context(vec![pair()]),
        Query::Feedback {
            target: target(),
            examples: vec![FeedbackExample {
                example: target(),
                score: 1.0,
            }],
            a: 1.0,
            b: 1.0,
            c: 1.0,
        },
        Query::OrderBy(OrderBy::new("many")),
        Query::Sample { seed: Some(1) },
    ];
    let prefetch = || Prefetch::new(None).limit(100);
    let composed = [
        Query::Fusion(Fusion::rrf()),
        Query::Fusion(Fusion::Dbsf),
        Query::Formula(Formula::new(Expression::variable("n"))),
    ];
    let of_all = kinds.iter().cloned().map(QueryRequest::new);
    let of_some = kinds.iter().cloned().chain(composed);
    let of_some = of_some.map(|kind| QueryRequest::new(kind).prefetch(prefetch()).prefetch(prefetch()));
    let requests = of_all.chain(of_some).chain([QueryRequest::new(None)]);
    requests
        .map(|request| request.limit(200).with_payload(true))
        .collect()
}

#[test]
fn every_kind_stops_when_it_is_told_to() {
    let both = Both::new(4);
    for request in one_of_each() {
        let whole = both.c.query(&request).unwrap();
        for probes in [0, 1, 3, 6] {
            let left = std::sync::atomic::AtomicUsize::new(probes);
            let one_less = |left: usize| Some(left.saturating_sub(1));
            let relaxed = std::sync::atomic::Ordering::Relaxed;
            let is_over = || left.fetch_update(relaxed, relaxed, one_less) == Ok(0);
            match both.c.query_with(&request, &Control::cancelled_by(&is_over)) {
                Err(Error::Cancelled) => {}
                Ok(found) => assert!(probes > 0 && found == whole, "{request:?}"),
                Err(other) => panic!("{request:?}: {other}"),
            }
        }
        let late = request.clone().timeout(std::time::Duration::ZERO);
        assert!(
            matches!(both.c.query(&late), Err(Error::Timeout { .. })),
            "{request:?}"
        );
    }
}

#[test]
fn answers_that_are_too_large_are_refused_whatever_the_kind() {
    let both = Both::new(5);
    let small = |bytes| {
        let db = Database::builder()
            .background(false)
            .answer_bytes(bytes)
            .open_in_memory()
            .unwrap();
        let c = db.create_collection("c", both.oracle.config.clone()).unwrap();
        let points = both.oracle.points.iter().map(|(id, point)| Point {
            id: *id,
            vectors: Vectors(point.vectors.clone()),
            payload: point.payload.clone(),
        });
        c.upsert(points.collect()).unwrap();
        (db, c)
    };
    let (_tight, refusing) = small(4_000);
    let (_wide, answering) = small(4 << 20);
    for request in one_of_each() {
        let refused = refusing.query(&request);
        assert!(
            matches!(refused, Err(Error::Limit { .. })),
            "{request:?}: {refused:?}"
        );
        assert!(answering.query(&request).is_ok(), "{request:?}");
    }
}
