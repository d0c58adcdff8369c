//! The engine beside a plain map, and what comparing the two takes.

use serde_json::{Value, json};
use vdb::{
    Collection, CollectionConfig, Control, Database, Distance, OptimizerConfig, PayloadIndexKind, Point,
    PointId, Query, QueryRequest, ScoredPoint, VectorInput, VectorParams, Vectors,
};
use vdb_tests::Numbers;
use vdb_tests::oracle::op::parse_filter;
use vdb_tests::oracle::{Aim, Op, OracleCollection, vector};

/// Numbers of a vector.
pub(crate) const DIM: usize = 6;
/// How many collections each test makes, from seeds from 0 on.
pub(crate) const ROUNDS: u64 = 8;

/// The engine beside a plain map.
pub(crate) struct Both {
    pub(crate) db: Database,
    pub(crate) c: Collection,
    pub(crate) oracle: OracleCollection,
    numbers: Numbers,
    pub(crate) distance: Distance,
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
    pub(crate) fn new(seed: u64) -> Both {
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

    /// A filter, or none.
    pub(crate) fn filter(&mut self) -> Option<Value> {
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

    /// A vector, or the id of a point that has one.
    pub(crate) fn input(&mut self, name: &str) -> VectorInput {
        if self.numbers.one_in(2) {
            self.example(name).into()
        } else {
            whole(&mut self.numbers).into()
        }
    }

    /// The vector that is meant.
    pub(crate) fn numbers_of(&self, input: &VectorInput, name: &str) -> Vec<f32> {
        match input {
            VectorInput::Vector(vector) => vector.as_dense().unwrap().to_vec(),
            VectorInput::Id(id) => self.oracle.points[id].vectors[name].as_dense().unwrap().to_vec(),
            _ => unreachable!("no other kind"),
        }
    }

    /// Larger for nearer points.
    pub(crate) fn similarity(&self, a: &[f32], b: &[f32]) -> f64 {
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

    /// A similarity as a score is shown.
    pub(crate) fn public(&self, similarity: f64) -> f64 {
        match self.distance {
            Distance::Euclid => (-similarity).sqrt(),
            Distance::Manhattan => -similarity,
            Distance::Dot | Distance::Cosine => similarity,
        }
    }

    /// All points that match and have the vector by a score, best first, without the examples.
    pub(crate) fn ranked(
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

/// The points among the inputs.
pub(crate) fn ids_of(inputs: &[&VectorInput]) -> Vec<PointId> {
    let ids = inputs.iter().filter_map(|input| match input {
        VectorInput::Id(id) => Some(*id),
        _ => None,
    });
    ids.collect()
}

/// Checks the points, and their scores but for rounding.
pub(crate) fn agree(found: &[ScoredPoint], wanted: &[(PointId, f64)], what: &str) {
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

/// What an offset and a limit leave.
pub(crate) fn page<T: Clone>(all: &[T], offset: usize, limit: usize) -> Vec<T> {
    all.iter().skip(offset).take(limit).cloned().collect()
}

/// An exact query over one named vector.
pub(crate) fn request(query: Query, name: &str, filter: Option<&Value>) -> QueryRequest {
    let request = QueryRequest::new(query).using(name).exact(true);
    match filter {
        Some(filter) => request.filter(parse_filter(filter)),
        None => request,
    }
}
