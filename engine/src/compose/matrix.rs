//! Which points of a sample are near each other.

use std::time::Duration;

use vdb_storage::PointId;

use super::narrow::narrow;
use super::sample;
use crate::error::{Error, Result, within};
use crate::filter::{Condition, Filter};
use crate::limits::{MAX_LIMIT, MAX_MATRIX_SAMPLE};
use crate::query::allowance::Allowance;
use crate::query::compare::{Comparer, Purpose};
use crate::query::idf;
use crate::setters::setters;
use crate::tables::View;

/// Which points are compared with each other: a random sample of those that match and have the vector.
///
/// ```
/// # use vdb::{CollectionConfig, Database, Distance, Point, VectorParams};
/// use vdb::MatrixRequest;
/// # let db = Database::builder().open_in_memory()?;
/// # let c = db.create_collection("c", CollectionConfig::new(VectorParams::new(1, Distance::Euclid)))?;
/// # c.upsert((0u64..50).map(|id| Point::new(id, [id as f32])).collect())?;
/// let matrix = c.distance_matrix(&MatrixRequest::new().sample(5).limit(2).seed(7))?;
/// assert_eq!(matrix.ids.len(), 5);
/// assert_eq!(matrix.pairs().count(), 10);
/// # Ok::<_, vdb::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct MatrixRequest {
    /// How many points, 2 to [`MAX_MATRIX_SAMPLE`].
    pub sample: usize,
    /// How many of the nearest others of each, at least 1.
    pub limit: usize,
    /// Only points that match.
    pub filter: Option<Filter>,
    /// Which named vector is compared; empty for the default one.
    pub using: String,
    /// The same seed gives the same points as long as the same ones match; without, every call gives others.
    pub seed: Option<u64>,
    /// How long it may take, else [`Error::Timeout`]; as the database says by default.
    pub timeout: Option<Duration>,
}

impl Default for MatrixRequest {
    fn default() -> Self {
        MatrixRequest {
            sample: 10,
            limit: 3,
            filter: None,
            using: String::new(),
            seed: None,
            timeout: None,
        }
    }
}

impl MatrixRequest {
    /// Ten points, and the three nearest of each.
    pub fn new() -> Self {
        MatrixRequest::default()
    }

    setters! {
        /// How many points.
        sample(usize);
        /// How many of the nearest others of each.
        limit(usize);
        /// Only points that match.
        filter(some Filter);
        /// Compares this named vector.
        using(into String);
        /// The same points for the same seed.
        seed(some u64);
        /// How long it may take.
        timeout(some Duration);
    }
}

/// The nearest others of each point of a sample: a sparse matrix of scores.
#[derive(Clone, Debug, PartialEq)]
pub struct DistanceMatrix {
    /// The points, ascending.
    pub ids: Vec<PointId>,
    /// For each of them the nearest others, best first, equal scores in the order of ids: the place in `ids` and the score,
    /// as a search for the vector of the one would give it.
    pub rows: Vec<Vec<(usize, f32)>>,
}

impl DistanceMatrix {
    /// The entries as two points and a score.
    pub fn pairs(&self) -> impl Iterator<Item = (PointId, PointId, f32)> + '_ {
        let rows = self.ids.iter().zip(&self.rows);
        rows.flat_map(move |(&a, row)| {
            row.iter()
                .filter_map(move |&(place, score)| Some((a, *self.ids.get(place)?, score)))
        })
    }

    /// The entries as places of rows, places of columns, and scores.
    pub fn offsets(&self) -> (Vec<usize>, Vec<usize>, Vec<f32>) {
        let mut parts = (Vec::new(), Vec::new(), Vec::new());
        for (row, entries) in self.rows.iter().enumerate() {
            for &(column, score) in entries {
                parts.0.push(row);
                parts.1.push(column);
                parts.2.push(score);
            }
        }
        parts
    }
}

pub(crate) fn matrix(
    view: &View,
    request: &MatrixRequest,
    allowance: &Allowance<'_>,
) -> Result<DistanceMatrix> {
    let least = [("sample", request.sample, 2), ("limit", request.limit, 1)];
    if let Some((name, _, least)) = least.into_iter().find(|&(_, given, least)| given < least) {
        return Err(Error::InvalidRequest(format!(
            "the {name} of a distance matrix must be at least {least}"
        )));
    }
    within("sample of a distance matrix", MAX_MATRIX_SAMPLE, request.sample)?;
    within("limit of a distance matrix", MAX_LIMIT, request.limit)?;
    allowance.check()?;
    let schema = &view.tables.schema;
    let (slot, vector) = schema.require(&request.using)?;
    let has_vector = Filter::must([Condition::HasVector(vector.name.clone())]);
    let filters: Vec<&Filter> = request.filter.iter().chain([&has_vector]).collect();
    let filter = narrow(&filters, &[], &**schema)?;
    let mut points = sample::of_all(view, request.seed, filter.as_ref(), request.sample, allowance)?;
    points.sort_unstable_by_key(|(id, _)| *id);
    let mut vectors = Vec::with_capacity(points.len());
    for (_, at) in &points {
        // Each was asked for whether it has one.
        vectors.push(at.vector(slot)?.unwrap_or_default());
    }
    // Each is the query of a search in its turn.
    let mut queries = Vec::new();
    if idf::weighs(vector) {
        allowance.take(vectors.iter().map(|vector| vector.len()).sum())?;
        let own = vectors.iter().map(|vector| vector.to_vec());
        queries = idf::weigh(view, (slot, vector), None, own.collect(), allowance)?;
    }
    let distance = vector.distance();
    let mut rows = Vec::with_capacity(points.len());
    for (a, &of_a) in vectors.iter().enumerate() {
        let mut scores = Vec::with_capacity(vectors.len());
        let query = queries.get(a).map_or(of_a, Vec::as_slice);
        let comparer = Comparer::new(vector, query, Purpose::Score);
        for (b, of_b) in vectors.iter().enumerate().filter(|&(b, _)| b != a) {
            allowance.beat()?;
            // Sparse vectors that share no dimension are no neighbours.
            let score = comparer.score(of_b, f32::NEG_INFINITY, allowance)?;
            scores.extend(score.map(|score| (b, score + 0.0)));
        }
        scores.sort_unstable_by(|a: &(usize, f32), b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        scores.truncate(request.limit);
        scores.shrink_to_fit();
        allowance.take(scores.len() * size_of::<(usize, f32)>())?;
        let public = scores
            .into_iter()
            .map(|(place, score)| (place, distance.public_score(score)));
        rows.push(public.collect());
    }
    Ok(DistanceMatrix {
        ids: points.iter().map(|(id, _)| *id).collect(),
        rows,
    })
}
