//! One query and its prefetches.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use vdb_storage::PointId;

use super::examples::{Examples, Lookups, examples};
use super::kind::Query;
use super::narrow::narrow;
use super::order;
use super::request::Stage;
use super::sample;
use crate::config::Distance;
use crate::error::Result;
use crate::filter::Filter;
use crate::formula::{CompiledFormula, Formula, Subject};
use crate::point::OrderValue;
use crate::query::allowance::Allowance;
use crate::query::compare::{Comparer, Purpose};
use crate::query::mixed::{self, Mixed};
use crate::query::nearest::{self, Hit};
use crate::query::text::{self, Eligible, TextQuery};
use crate::query::workers::Workers;
use crate::query::{prepared, scroll};
use crate::score::{Fusion, Mix, diverse, fuse};
use crate::tables::{Located, StoredPoint, View};

/// A point that was found, with the score that is returned.
#[derive(Clone)]
pub(super) struct Found {
    pub(super) id: PointId,
    pub(super) at: Located,
    pub(super) score: f32,
    pub(super) order: Option<OrderValue>,
}

/// Where a point is, and what each prefetch gave it.
type Scores = (Located, Vec<Option<f32>>);

/// The score of points that are not scored.
const UNSCORED: f32 = 1.0;

/// Best first; ties by id.
fn in_order(mut found: Vec<Found>, want: usize) -> Vec<Found> {
    let order = |a: &Found, b: &Found| b.score.total_cmp(&a.score).then(a.id.cmp(&b.id));
    if found.len() > want {
        found.select_nth_unstable_by(want, order);
        found.truncate(want);
    }
    found.sort_unstable_by(order);
    found
}

/// Runs the stages of one request.
pub(super) struct Run<'a> {
    pub(super) view: &'a View,
    pub(super) lookups: &'a Lookups,
    /// Points that are not results, because they are examples; sorted.
    pub(super) without: &'a [PointId],
    pub(super) threads: &'a Workers,
    pub(super) allowance: &'a Allowance<'a>,
}

impl Run<'_> {
    /// The best `want` points of a stage, in order; counted with the memory of the answer, each as one [`Found`]. `above` are the filters of the stages that it is a prefetch of.
    pub(super) fn stage(&self, stage: Stage<'_>, above: &[&Filter]) -> Result<Vec<Found>> {
        self.allowance.check()?;
        let filters: Vec<&Filter> = above.iter().copied().chain(stage.filter).collect();
        let examples = examples(self.view, stage, self.lookups, self.allowance)?;
        let found = if !stage.prefetch.is_empty() {
            self.of_prefetched(stage, &filters, examples.as_ref())
        } else if let Some(examples) = &examples {
            self.by_examples(stage, &filters, examples, None)
        } else {
            self.by_payload(stage, &filters)
        };
        self.allowance
            .give(examples.map_or(0, |examples| examples.bytes()));
        found
    }

    /// What a stage makes of its prefetches.
    fn of_prefetched(
        &self,
        stage: Stage<'_>,
        filters: &[&Filter],
        examples: Option<&Examples<'_>>,
    ) -> Result<Vec<Found>> {
        let mut lists = Vec::with_capacity(stage.prefetch.len());
        for prefetch in stage.prefetch {
            lists.push(self.stage(prefetch.stage(), filters)?);
        }
        let kept = lists.iter().map(Vec::len).sum::<usize>() * size_of::<Found>();
        // What they are brought together in takes about as much again. Comparisons and formulas count that themselves.
        let counts_itself = examples.is_some() || matches!(stage.query, Some(Query::Formula(_)));
        let joined = if counts_itself { 0 } else { kept };
        let make = |()| match (examples, stage.query) {
            (Some(examples), _) => self.by_examples(stage, filters, examples, Some(union(lists))),
            (None, Some(Query::Fusion(fusion))) => self.counted(fused(fusion, stage, lists)),
            (None, Some(Query::Formula(formula))) => self.by_formula(formula, stage, lists),
            (None, Some(text @ Query::Text { .. })) => {
                self.by_text(text, stage, filters, Some(&union(lists)))
            }
            (None, Some(Query::OrderBy(by))) => {
                let points = union(lists).into_iter();
                order::of(self.view, by, points, stage.want, self.allowance)
            }
            (None, Some(Query::Sample { seed })) => {
                let points = union(lists).into_iter();
                self.unscored(sample::of(*seed, points, stage.want, self.allowance)?)
            }
            // Refused before.
            (None, Some(_) | None) => Ok(Vec::new()),
        };
        let found = self.allowance.take(joined).and_then(make);
        self.allowance.give(kept + joined);
        found
    }

    /// Points that are found without scoring any.
    fn by_payload(&self, stage: Stage<'_>, filters: &[&Filter]) -> Result<Vec<Found>> {
        let (view, want, allowance) = (self.view, stage.want, self.allowance);
        if let Some(Query::OrderBy(by)) = stage.query {
            return order::of_all(view, by, (filters, self.without), want, allowance);
        }
        if let Some(text @ Query::Text { .. }) = stage.query {
            return self.by_text(text, stage, filters, None);
        }
        let filter = narrow(filters, self.without, &*view.tables.schema)?;
        let found = match stage.query {
            Some(Query::Sample { seed }) => sample::of_all(view, *seed, filter.as_ref(), want, allowance)?,
            None => scroll::page(view, None, filter.as_ref(), want, allowance)?,
            // Refused before.
            Some(_) => Vec::new(),
        };
        self.unscored(found)
    }

    /// Points as they are found without a score, which were counted as they are given.
    fn unscored(&self, points: Vec<(PointId, Located)>) -> Result<Vec<Found>> {
        let held = points.len() * size_of::<(PointId, Located)>();
        let found = points.into_iter().map(|(id, at)| Found {
            id,
            at,
            score: UNSCORED,
            order: None,
        });
        let found = self.counted(found.collect());
        self.allowance.give(held);
        found
    }

    /// Points by what their texts say: of those given, or of all that match.
    fn by_text(
        &self,
        query: &Query,
        stage: Stage<'_>,
        filters: &[&Filter],
        among: Option<&HashMap<PointId, Located>>,
    ) -> Result<Vec<Found>> {
        let Query::Text { text, k1, b } = query else {
            return Ok(Vec::new());
        };
        let filter = narrow(filters, self.without, &*self.view.tables.schema)?;
        let query = TextQuery {
            path: stage.using,
            text,
            k1: *k1,
            b: *b,
        };
        let eligible = Eligible {
            filter: filter.as_ref(),
            among,
        };
        let mut hits = text::best(self.view, query, eligible, stage.want, self.allowance)?;
        let held = hits.len();
        if let Some(bar) = stage.score_threshold {
            hits.truncate(hits.partition_point(|hit| hit.score > bar));
        }
        let found = hits.into_iter().map(|hit| Found {
            id: hit.id,
            at: hit.at,
            score: hit.score,
            order: None,
        });
        let found = self.counted(found.collect());
        self.allowance.give(held * size_of::<Hit>());
        found
    }

    /// What was found, counted with the memory of the answer.
    fn counted(&self, found: Vec<Found>) -> Result<Vec<Found>> {
        self.allowance.take(found.len() * size_of::<Found>())?;
        Ok(found)
    }

    /// Points by their similarities to examples: of those given, or of all that match.
    fn by_examples(
        &self,
        stage: Stage<'_>,
        filters: &[&Filter],
        examples: &Examples<'_>,
        among: Option<HashMap<PointId, Located>>,
    ) -> Result<Vec<Found>> {
        let candidates = match stage.query {
            Some(Query::Mmr { candidates, .. }) => candidates.unwrap_or(stage.want),
            Some(_) | None => stage.want,
        };
        let mut hits = match among {
            Some(points) => self.scored(points, examples, candidates)?,
            // Examples are left out afterwards: a filter would cost more than to look for so many more.
            None => self.search(
                stage,
                filters,
                examples,
                candidates.saturating_add(self.without.len()),
            )?,
        };
        let held = hits.len();
        hits.retain(|hit| self.without.binary_search(&hit.id).is_err());
        hits.truncate(candidates);
        let distance = examples.vector.distance();
        let is_plain = examples.mix == Mix::Only;
        let passing = match stage.score_threshold {
            Some(bar) if !is_plain => passing_mixed(distance, &hits, bar),
            threshold => nearest::passing(distance, &hits, threshold),
        };
        hits.truncate(passing);
        if let Some(Query::Mmr { diversity, .. }) = stage.query {
            hits = self.diverse(hits, examples, *diversity, stage.want)?;
        }
        let found = hits.into_iter().map(|hit| Found {
            id: hit.id,
            at: hit.at,
            score: if is_plain {
                distance.public_score(hit.score)
            } else {
                hit.score
            },
            order: None,
        });
        let found = self.counted(found.collect());
        self.allowance.give(held * size_of::<Hit>());
        found
    }

    /// The best of all points that match.
    fn search(
        &self,
        stage: Stage<'_>,
        filters: &[&Filter],
        examples: &Examples<'_>,
        want: usize,
    ) -> Result<Vec<Hit>> {
        let (view, allowance) = (self.view, self.allowance);
        let filter = narrow(filters, &[], &*view.tables.schema)?;
        if let (Mix::Only, [target]) = (&examples.mix, examples.encoded.as_slice()) {
            let query = prepared::Query {
                vector: examples.vector,
                slot: examples.slot,
                encoded: target.clone(),
                want,
                filter,
                params: stage.params.clone(),
            };
            let find = |several| nearest::find(view, &[&query], several, allowance);
            let found = if self.threads.are_free() && nearest::is_large(view, &query) {
                self.threads.run(find)
            } else {
                find(false)
            }?;
            return Ok(found.into_iter().next().unwrap_or_default());
        }
        let mut query = self.mixed(examples, want, filter);
        query.indexed_only = stage.params.indexed_only;
        let find = |several| mixed::best(view, &query, several, allowance);
        if self.threads.are_free() && query.is_large(view) {
            self.threads.run(find)
        } else {
            find(false)
        }
    }

    fn mixed<'e>(
        &self,
        examples: &'e Examples<'e>,
        want: usize,
        filter: Option<crate::filter::CompiledFilter>,
    ) -> Mixed<'e> {
        let vector = (examples.slot, examples.vector);
        Mixed::new(vector, &examples.encoded, &examples.mix, want, filter)
    }

    /// The best of these points.
    fn scored(
        &self,
        points: HashMap<PointId, Located>,
        examples: &Examples<'_>,
        want: usize,
    ) -> Result<Vec<Hit>> {
        let query = self.mixed(examples, want, None);
        let mut hits = Vec::with_capacity(points.len());
        self.allowance.take(points.len() * size_of::<Hit>())?;
        let before = points.len();
        for (id, at) in points {
            self.allowance.beat()?;
            let Some(vector) = at.vector(examples.slot)? else {
                continue;
            };
            // As in every other search.
            if let Some(score) = query
                .score_alone(vector, self.allowance)?
                .filter(|score| !score.is_nan())
            {
                // Negative zero and zero are one score.
                let score = score + 0.0;
                hits.push(Hit { score, id, at });
            }
        }
        hits.sort_unstable_by(Hit::order);
        hits.truncate(want);
        self.allowance.give((before - hits.len()) * size_of::<Hit>());
        Ok(hits)
    }

    /// Those of the hits that are to be shown when they should differ.
    fn diverse(
        &self,
        hits: Vec<Hit>,
        examples: &Examples<'_>,
        diversity: f32,
        want: usize,
    ) -> Result<Vec<Hit>> {
        let comparer = |query| Comparer::new(examples.vector, query, Purpose::Similarity);
        let mut vectors = Vec::with_capacity(hits.len());
        for hit in &hits {
            // Hits have the vector.
            vectors.push(hit.at.vector(examples.slot)?.unwrap_or_default());
        }
        let mut to_query = Vec::with_capacity(hits.len());
        if let Some(target) = &examples.target {
            let target = comparer(target.as_slice());
            for vector in &vectors {
                to_query.push(target.similarity(vector, self.allowance)?);
            }
        }
        let comparers: Vec<Comparer<'_>> = vectors.iter().copied().map(comparer).collect();
        let chosen = diverse(&to_query, 1.0 - diversity, want, |a, b| {
            self.allowance.beat()?;
            comparers[a].similarity(vectors[b], self.allowance)
        })?;
        drop(comparers);
        drop(vectors);
        let mut hits: Vec<Option<Hit>> = hits.into_iter().map(Some).collect();
        Ok(chosen.into_iter().filter_map(|at| hits[at].take()).collect())
    }

    /// What the prefetches found, by the score that a formula gives.
    fn by_formula(&self, formula: &Formula, stage: Stage<'_>, lists: Vec<Vec<Found>>) -> Result<Vec<Found>> {
        let schema = &self.view.tables.schema;
        let formula = CompiledFormula::new(formula, &**schema)?;
        let width = lists.len();
        let entry = size_of::<(PointId, Scores)>() + width * size_of::<Option<f32>>();
        let mut scores: HashMap<PointId, Scores> = HashMap::new();
        for (list, found) in lists.into_iter().enumerate() {
            for one in found {
                self.allowance.beat()?;
                let (_, scores) = match scores.entry(one.id) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(new) => {
                        self.allowance.take(entry)?;
                        new.insert((one.at, vec![None; width]))
                    }
                };
                // Of several in one list the first is the best.
                scores[list] = scores[list].or(Some(one.score));
            }
        }
        let held = scores.len() * entry;
        let mut found = Vec::with_capacity(scores.len());
        for (id, (at, scores)) in scores {
            let has_vector = |slot: usize| at.has_vector(slot);
            let point = StoredPoint {
                schema,
                id,
                payload: at.payload()?,
                has_vector: &has_vector,
                texts: at.texts(),
                goes_on: &|bytes| self.allowance.goes_on(bytes),
            };
            let subject = Subject {
                point: &point,
                scores: &scores,
            };
            // Of a condition that was cut short the time tells why.
            let score = formula
                .score(&subject)
                .or_else(|error| self.allowance.check().and(Err(error)))?;
            if stage.score_threshold.is_none_or(|bar| score >= bar) {
                found.push(Found {
                    id,
                    at,
                    // Negative zero and zero are one score.
                    score: score + 0.0,
                    order: None,
                });
            }
        }
        self.allowance.give(held);
        self.counted(in_order(found, stage.want))
    }
}

/// How many hits, of some in the order of scores made of several similarities, are kept by a threshold: those up to the first that
/// fails it. Which way it is compared is that of the distance, as with Qdrant: over Euclid and Manhattan, where distances are told
/// and smaller ones are nearer, these scores must be below it, although the larger ones come first.
fn passing_mixed(distance: Distance, hits: &[Hit], bar: f32) -> usize {
    let passes = |hit: &&Hit| {
        if distance.larger_is_nearer() {
            hit.score > bar
        } else {
            hit.score < bar
        }
    };
    hits.iter().take_while(passes).count()
}

/// The points of several lists, each once.
fn union(lists: Vec<Vec<Found>>) -> HashMap<PointId, Located> {
    let found = lists.into_iter().flatten();
    found.map(|one| (one.id, one.at)).collect()
}

fn fused(fusion: &Fusion, stage: Stage<'_>, lists: Vec<Vec<Found>>) -> Vec<Found> {
    let passes = |score: f32| stage.score_threshold.is_none_or(|bar| score >= bar);
    let fused = fuse(fusion, lists, |one| (one.id, one.score)).into_iter();
    let found = fused.filter(|(_, score)| passes(*score));
    let found = found.map(|(one, score)| Found {
        score,
        order: None,
        ..one
    });
    in_order(found.collect(), stage.want)
}

#[cfg(test)]
mod tests;
