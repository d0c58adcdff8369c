//! Ids become vectors, and kinds of queries what points are scored by.

use std::collections::BTreeMap;

use vdb_storage::PointId;

use super::kind::{Query, RecommendStrategy, VectorInput, sides};
use super::mean::{self, DenseMean, SparseSum};
use super::request::{Prefetch, QueryRequest, Stage};
use crate::error::{Error, Result};
use crate::point::Vector;
use crate::query::allowance::Allowance;
use crate::query::idf;
use crate::schema::{VectorKind, VectorSchema};
use crate::score::Mix;
use crate::tables::View;
use crate::vectors::{decode, encode_query};

/// Another collection that vectors are taken from.
pub(crate) struct Lookup {
    /// `None` for the one that is searched, by whatever name: it is looked up in as it is searched.
    pub(crate) view: Option<View>,
}

/// The collections that a request takes vectors from, by the names that it has for them.
#[derive(Default)]
pub(crate) struct Lookups(BTreeMap<String, Lookup>);

impl Lookups {
    /// Looks at every collection that the requests name.
    pub(crate) fn new(
        requests: &[&QueryRequest],
        mut open: impl FnMut(&str) -> Result<Lookup>,
    ) -> Result<Self> {
        let mut names = Vec::new();
        for request in requests {
            let own = request.lookup_from.iter().map(|from| from.collection.as_str());
            names.extend(own);
            each_prefetch(&request.prefetch, &mut |prefetch| {
                names.extend(prefetch.lookup_from.iter().map(|from| from.collection.as_str()));
            });
        }
        let mut found = BTreeMap::new();
        for name in names {
            if !found.contains_key(name) {
                found.insert(name.to_owned(), open(name)?);
            }
        }
        Ok(Lookups(found))
    }

    /// Asks, if all are seen as of the same point of the log as the collection that is searched.
    pub(crate) fn ask<T>(&self, searched: &View, ask: impl FnOnce() -> Result<T>) -> Result<Option<T>> {
        let mut views = self.0.values().filter_map(|lookup| lookup.view.as_ref());
        views.all(|view| view.lsn == searched.lsn).then(ask).transpose()
    }

    fn get(&self, name: &str) -> Result<&Lookup> {
        self.0.get(name).ok_or_else(|| Error::CollectionNotFound {
            name: name.to_owned(),
        })
    }

    /// The points of this collection that a request has for examples, at any depth; sorted.
    pub(crate) fn own_examples(&self, request: &QueryRequest) -> Result<Vec<PointId>> {
        let mut ids = Vec::new();
        self.collect(request.stage(), &mut ids)?;
        ids.sort_unstable();
        ids.dedup();
        Ok(ids)
    }

    fn collect(&self, stage: Stage<'_>, ids: &mut Vec<PointId>) -> Result<()> {
        let is_own = match stage.lookup_from {
            Some(from) => self.get(&from.collection)?.view.is_none(),
            None => true,
        };
        if is_own && let Some(query) = stage.query {
            ids.extend(query.inputs().into_iter().filter_map(|input| match input {
                VectorInput::Id(id) => Some(*id),
                VectorInput::Vector(_) => None,
            }));
        }
        stage
            .prefetch
            .iter()
            .try_for_each(|prefetch| self.collect(prefetch.stage(), ids))
    }
}

fn each_prefetch<'a>(prefetches: &'a [Prefetch], see: &mut dyn FnMut(&'a Prefetch)) {
    for prefetch in prefetches {
        see(prefetch);
        each_prefetch(&prefetch.prefetch, see);
    }
}

/// What points are scored by.
pub(super) struct Examples<'a> {
    pub(super) slot: usize,
    pub(super) vector: &'a VectorSchema,
    /// As vectors are stored, in the order that `mix` takes the similarities in.
    pub(super) encoded: Vec<Vec<u8>>,
    /// The target of a diverse choice as it was given, before its weights were multiplied by how rare dimensions are.
    pub(super) target: Option<Vec<u8>>,
    pub(super) mix: Mix,
}

impl Examples<'_> {
    /// What they take in memory, and were accounted for.
    pub(super) fn bytes(&self) -> usize {
        self.encoded.iter().chain(&self.target).map(Vec::len).sum()
    }
}

/// Finds the vectors of one stage.
struct Resolver<'a> {
    vector: &'a VectorSchema,
    /// Where ids have their vectors.
    view: &'a View,
    slot: usize,
    allowance: &'a Allowance<'a>,
}

impl Resolver<'_> {
    fn vector(&self, input: &VectorInput) -> Result<Vector> {
        let id = match input {
            VectorInput::Vector(vector) => return Ok(vector.clone()),
            VectorInput::Id(id) => *id,
        };
        let without = |name: &str| Error::PointWithoutVector {
            id,
            vector: name.to_owned(),
        };
        let point = self.view.tables.find(id, self.view.lsn);
        let point = point.ok_or(Error::PointNotFound { id })?;
        let stored = self.view.tables.schema.vector(self.slot);
        let stored = stored.ok_or_else(|| without(&self.vector.name))?;
        let bytes = point.vector(self.slot)?.ok_or_else(|| without(&stored.name))?;
        Ok(decode(stored, bytes))
    }

    /// A vector as it is compared, accounted for.
    fn encode(&self, vector: &Vector) -> Result<Vec<u8>> {
        let encoded = encode_query(self.vector, vector)?;
        self.allowance.take(encoded.len())?;
        Ok(encoded)
    }

    fn all<'i>(&self, inputs: impl IntoIterator<Item = &'i VectorInput>) -> Result<Vec<Vec<u8>>> {
        let encoded = inputs.into_iter().map(|input| self.encode(&self.vector(input)?));
        encoded.collect()
    }

    /// Examples as vectors, each checked.
    fn checked<'i>(&'i self, inputs: &'i [VectorInput]) -> impl Iterator<Item = Result<Vector>> + 'i {
        inputs.iter().map(|input| {
            self.allowance.beat()?;
            let vector = self.vector(input)?;
            encode_query(self.vector, &vector)?;
            Ok(vector)
        })
    }

    /// The mean of the positive examples; from the mean of the negative ones twice as far away as that, if there are any. Of
    /// multivectors, the vectors of all, those of negative examples negated.
    fn average(&self, positive: &[VectorInput], negative: &[VectorInput]) -> Result<Vec<u8>> {
        let average = match &self.vector.kind {
            VectorKind::Dense(dense) => {
                let mut means = [positive, negative].map(|_| DenseMean::new(dense.params.size));
                for (mean, inputs) in means.iter_mut().zip([positive, negative]) {
                    for vector in self.checked(inputs) {
                        mean.add(vector?.as_dense().unwrap_or_default());
                    }
                }
                let [of, from] = means;
                Vector::Dense(of.away_from(from))
            }
            VectorKind::Sparse(_) => {
                let mut average = SparseSum::default();
                for (inputs, is_positive) in [(positive, true), (negative, false)] {
                    let weight = mean::weight(is_positive, inputs.len(), !negative.is_empty());
                    for vector in self.checked(inputs) {
                        if let Some(vector) = vector?.as_sparse() {
                            let grown = average.add(vector, weight);
                            self.allowance.take(grown)?;
                        }
                    }
                }
                self.allowance.give(average.bytes());
                Vector::Sparse(average.into_vector())
            }
            VectorKind::Multi(_) => {
                let mut rows = Vec::new();
                for (inputs, sign) in [(positive, 1.0), (negative, -1.0)] {
                    for vector in self.checked(inputs) {
                        let vector = vector?;
                        self.allowance.take(vector.bytes())?;
                        mean::append(&mut rows, vector, sign);
                    }
                }
                let vector = Vector::Multi(rows);
                self.allowance.give(vector.bytes());
                vector
            }
        };
        self.encode(&average)
    }
}

/// What a stage scores points by; `None` for kinds that need no vector. Accounted for as [`Examples::bytes`].
pub(super) fn examples<'a>(
    view: &'a View,
    stage: Stage<'_>,
    lookups: &Lookups,
    allowance: &Allowance<'_>,
) -> Result<Option<Examples<'a>>> {
    let Some(query) = stage.query.filter(|query| query.is_about_vectors()) else {
        return Ok(None);
    };
    let schema = &view.tables.schema;
    let (slot, vector) = schema.require(stage.using)?;
    if let Some(dense) = vector.dense() {
        // How much it will be is known before any is looked for.
        let vectors = if query.is_by_average() {
            1
        } else {
            query.inputs().len()
        };
        let bytes = vectors * dense.params.row_bytes();
        allowance.take(bytes)?;
        allowance.give(bytes);
    }
    let (from_view, from_slot) = match stage.lookup_from {
        None => (view, slot),
        Some(from) => {
            let view = lookups.get(&from.collection)?.view.as_ref().unwrap_or(view);
            let name = from.vector.as_deref().unwrap_or(stage.using);
            (view, view.tables.schema.require(name)?.0)
        }
    };
    let resolver = Resolver {
        vector,
        view: from_view,
        slot: from_slot,
        allowance,
    };
    let (encoded, mix) = match query {
        Query::Nearest(target) | Query::Mmr { target, .. } => (resolver.all([target])?, Mix::Only),
        Query::Recommend {
            positive,
            negative,
            strategy,
        } => match strategy {
            RecommendStrategy::AverageVector => (vec![resolver.average(positive, negative)?], Mix::Only),
            RecommendStrategy::BestScore => {
                let positives = positive.len();
                (
                    resolver.all(positive.iter().chain(negative))?,
                    Mix::Best { positives },
                )
            }
            RecommendStrategy::SumScores => {
                let mix = Mix::sums(positive.len(), negative.len());
                (resolver.all(positive.iter().chain(negative))?, mix)
            }
        },
        Query::Discover { target, context } => {
            let inputs = std::iter::once(target).chain(sides(context));
            (resolver.all(inputs)?, Mix::Discover)
        }
        Query::Context(pairs) => (resolver.all(sides(pairs))?, Mix::Context),
        Query::Feedback {
            target,
            examples,
            a,
            b,
            c,
        } => {
            let scores: Vec<f32> = examples.iter().map(|one| one.score).collect();
            let inputs = std::iter::once(target).chain(examples.iter().map(|one| &one.example));
            let mix = Mix::feedback((*a, *b, *c), &scores).ok_or_else(|| {
                Error::InvalidRequest(format!(
                    "the scores of relevance feedback lie too far apart for the parameters b = {b} and c = {c}: \
                     weights that follow from them are no finite numbers; scale the scores down, or make b smaller"
                ))
            })?;
            (resolver.all(inputs)?, mix)
        }
        Query::OrderBy(_)
        | Query::Sample { .. }
        | Query::Text { .. }
        | Query::Fusion(_)
        | Query::Formula(_) => return Ok(None),
    };
    let is_diverse = matches!(query, Query::Mmr { .. });
    let target = encoded.first().filter(|_| is_diverse).cloned();
    allowance.take(target.as_ref().map_or(0, Vec::len))?;
    // As long as they were.
    let encoded = idf::weigh(
        view,
        (slot, vector),
        stage.params.idf.as_ref(),
        encoded,
        allowance,
    )?;
    Ok(Some(Examples {
        slot,
        vector,
        encoded,
        target,
        mix,
    }))
}
