//! Ids become vectors, and kinds of queries what points are scored by.

use std::collections::BTreeMap;

use vdb_storage::PointId;

use super::kind::{Query, RecommendStrategy, VectorInput, sides};
use super::request::{Prefetch, QueryRequest, Stage};
use crate::error::{Error, Result};
use crate::point::Vector;
use crate::query::prepared::refuse_idf;
use crate::schema::VectorSchema;
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
    pub(super) mix: Mix,
}

/// Finds the vectors of one stage.
struct Resolver<'a> {
    vector: &'a VectorSchema,
    /// Where ids have their vectors.
    view: &'a View,
    slot: usize,
}

impl Resolver<'_> {
    fn vector(&self, input: &VectorInput) -> Result<Vector> {
        let id = match input {
            VectorInput::Vector(vector) => return Ok(vector.clone()),
            VectorInput::Id(id) => *id,
        };
        let point = self.view.tables.find(id, self.view.lsn);
        let point = point.ok_or(Error::PointNotFound { id })?;
        let stored = &self.view.tables.schema.vectors[self.slot];
        let bytes = point.vector(self.slot).ok_or_else(|| Error::PointWithoutVector {
            id,
            vector: stored.name.clone(),
        })?;
        Ok(decode(&stored.params, bytes).into())
    }

    fn encode(&self, vector: &Vector) -> Result<Vec<u8>> {
        encode_query(&self.vector.name, &self.vector.params, vector)
    }

    fn encoded(&self, input: &VectorInput) -> Result<Vec<u8>> {
        self.encode(&self.vector(input)?)
    }

    fn all<'i>(&self, inputs: impl IntoIterator<Item = &'i VectorInput>) -> Result<Vec<Vec<u8>>> {
        inputs.into_iter().map(|input| self.encoded(input)).collect()
    }

    /// The mean of vectors, each checked for its length.
    fn mean(&self, inputs: &[VectorInput]) -> Result<Vec<f64>> {
        let mut sum = vec![0.0; self.vector.params.size];
        for input in inputs {
            let vector = self.vector(input)?;
            self.encode(&vector)?;
            for (sum, number) in sum.iter_mut().zip(vector.as_dense().unwrap_or_default()) {
                *sum += f64::from(*number);
            }
        }
        let count = inputs.len() as f64;
        sum.iter_mut().for_each(|sum| *sum /= count);
        Ok(sum)
    }

    /// The mean of the positive examples; from the mean of the negative ones twice as far away as that, if there are any.
    fn average(&self, positive: &[VectorInput], negative: &[VectorInput]) -> Result<Vec<u8>> {
        let mut target = self.mean(positive)?;
        if !negative.is_empty() {
            for (target, away) in target.iter_mut().zip(self.mean(negative)?) {
                *target += *target - away;
            }
        }
        let numbers = target.into_iter().map(|number| number as f32);
        self.encode(&numbers.collect::<Vec<_>>().into())
    }
}

/// What the examples of a stage take in memory.
pub(super) fn encoded_bytes(view: &View, stage: Stage<'_>) -> Result<usize> {
    let Some(query) = stage.query.filter(|query| query.is_about_vectors()) else {
        return Ok(0);
    };
    let vectors = if query.is_by_average() {
        1
    } else {
        query.inputs().len()
    };
    let schema = &view.tables.schema;
    let slot = schema.require(stage.using)?;
    Ok(vectors * schema.vectors[slot].params.row_bytes())
}

/// What a stage scores points by; `None` for kinds that need no vector.
pub(super) fn examples<'a>(
    view: &'a View,
    stage: Stage<'_>,
    lookups: &Lookups,
) -> Result<Option<Examples<'a>>> {
    let Some(query) = stage.query.filter(|query| query.is_about_vectors()) else {
        return Ok(None);
    };
    let schema = &view.tables.schema;
    let slot = schema.require(stage.using)?;
    let vector = &schema.vectors[slot];
    refuse_idf(&vector.name, stage.params.idf.as_ref())?;
    let resolver = match stage.lookup_from {
        None => Resolver { vector, view, slot },
        Some(from) => {
            let view = lookups.get(&from.collection)?.view.as_ref().unwrap_or(view);
            let name = from.vector.as_deref().unwrap_or(stage.using);
            let slot = view.tables.schema.require(name)?;
            Resolver { vector, view, slot }
        }
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
        Query::OrderBy(_) | Query::Sample { .. } | Query::Fusion(_) | Query::Formula(_) => return Ok(None),
    };
    Ok(Some(Examples {
        slot,
        vector,
        encoded,
        mix,
    }))
}
