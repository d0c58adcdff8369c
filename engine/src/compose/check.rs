//! What can be refused without looking at a point.

use super::kind::{Query, RecommendStrategy};
use super::request::{QueryRequest, Stage};
use crate::error::{Error, Result, within};
use crate::limits::{MAX_EXAMPLES, MAX_MMR_CANDIDATES, MAX_PREFETCH_DEPTH, MAX_PREFETCHES};
use crate::query::search;
use crate::score::Fusion;

/// Checks a whole request.
pub(super) fn request(request: &QueryRequest) -> Result<()> {
    search::check(
        request.limit,
        request.offset,
        &request.params,
        request.score_threshold,
    )?;
    // Other points each time have no second page.
    let is_other_each_time = matches!(request.query, Some(Query::Sample { seed: None }));
    if is_other_each_time && request.prefetch.is_empty() && request.offset > 0 {
        return Err(invalid(
            "a sample without a seed gives other points each time and has no pages: give it a seed, or leave out `offset`",
        ));
    }
    stages(request.stage(), 0, &mut 0)
}

fn invalid(what: impl Into<String>) -> Error {
    Error::InvalidRequest(what.into())
}

fn positive(name: &str, number: usize) -> Result<()> {
    if number == 0 {
        return Err(invalid(format!("the {name} of a query must be at least 1")));
    }
    Ok(())
}

/// Checks a stage and those below it, at a depth from 0; counts the prefetches.
fn stages(at: Stage<'_>, depth: usize, prefetches: &mut usize) -> Result<()> {
    within("levels of prefetches", MAX_PREFETCH_DEPTH, depth)?;
    *prefetches = prefetches.saturating_add(at.prefetch.len());
    within("prefetches of a query", MAX_PREFETCHES, *prefetches)?;
    stage(at)?;
    for prefetch in at.prefetch {
        search::check(prefetch.limit, 0, &prefetch.params, prefetch.score_threshold)?;
        stages(prefetch.stage(), depth + 1, prefetches)?;
    }
    Ok(())
}

fn stage(at: Stage<'_>) -> Result<()> {
    let unscored = matches!(at.query, None | Some(Query::OrderBy(_) | Query::Sample { .. }));
    if unscored && at.score_threshold.is_some() {
        return Err(invalid(
            "a score threshold needs scores: points in the order of ids or of a payload value, and samples, have none",
        ));
    }
    vectors(at)?;
    let Some(query) = at.query else {
        if at.prefetch.is_empty() {
            return Ok(());
        }
        return Err(invalid(
            "prefetches need a query that says what becomes of what they find",
        ));
    };
    within("examples of a query", MAX_EXAMPLES, query.inputs().len())?;
    kind(query, at)
}

/// Refuses to say which vectors a query is about that is about none.
fn vectors(at: Stage<'_>) -> Result<()> {
    let what = match at.query {
        Some(query) if query.is_about_vectors() => return Ok(()),
        Some(Query::Fusion(_)) => "a fusion",
        Some(Query::Formula(_)) => "a formula",
        Some(Query::OrderBy(_)) => "an order by a payload value",
        Some(Query::Sample { .. }) => "a sample",
        Some(Query::Text { .. }) if at.lookup_from.is_some() => {
            return Err(invalid(
                "a query by text looks up no vectors: leave out `lookup_from`",
            ));
        }
        Some(Query::Text { .. }) if at.params.idf.is_some() => {
            return Err(invalid(
                "a query by text counts in all points how rare a token is: leave out `idf`",
            ));
        }
        // `using` names a payload path then.
        Some(Query::Text { .. }) => return Ok(()),
        Some(_) | None => "a request without a query",
    };
    if !at.using.is_empty() {
        return Err(invalid(format!(
            "{what} is not about the vector {:?}: leave out `using`; prefetches have their own",
            at.using
        )));
    }
    if at.params.idf.is_some() {
        return Err(invalid(format!(
            "{what} weighs no dimensions: leave out `idf`; prefetches have their own"
        )));
    }
    if let Some(from) = at.lookup_from {
        return Err(invalid(format!(
            "{what} looks up no vectors in {:?}: leave out `lookup_from`; prefetches have their own",
            from.collection
        )));
    }
    Ok(())
}

fn kind(query: &Query, at: Stage<'_>) -> Result<()> {
    match query {
        Query::Nearest(_) | Query::Discover { .. } | Query::OrderBy(_) | Query::Sample { .. } => Ok(()),
        Query::Mmr {
            diversity,
            candidates,
            ..
        } => {
            if !(0.0..=1.0).contains(diversity) {
                return Err(invalid(format!("diversity goes from 0 to 1, got {diversity}")));
            }
            let candidates = candidates.unwrap_or(at.want);
            positive("candidates", candidates)?;
            within("candidates of a query", MAX_MMR_CANDIDATES, candidates)
        }
        Query::Recommend {
            positive,
            negative,
            strategy,
        } => match strategy {
            _ if positive.is_empty() && negative.is_empty() => {
                Err(invalid("a recommendation needs at least one example"))
            }
            RecommendStrategy::AverageVector if positive.is_empty() => Err(invalid(
                "a recommendation by average vectors needs at least one positive example",
            )),
            RecommendStrategy::AverageVector
            | RecommendStrategy::BestScore
            | RecommendStrategy::SumScores => Ok(()),
        },
        Query::Context(pairs) => {
            if pairs.is_empty() {
                return Err(invalid("a context needs at least one pair of examples"));
            }
            Ok(())
        }
        Query::Feedback {
            examples, a, b, c, ..
        } => {
            if examples.is_empty() {
                return Err(invalid("relevance feedback needs at least one example"));
            }
            let scores = examples.iter().map(|one| one.score);
            if let Some(odd) = scores.chain([*a, *b, *c]).find(|number| !number.is_finite()) {
                return Err(invalid(format!(
                    "scores and parameters of relevance feedback must be finite, got {odd}"
                )));
            }
            if *b < 0.0 {
                return Err(invalid(format!(
                    "the parameter b of relevance feedback must be at least 0, got {b}"
                )));
            }
            Ok(())
        }
        Query::Text { k1, b, .. } => {
            if !(0.0..=1e6).contains(k1) || !(0.0..=1.0).contains(b) {
                return Err(invalid(format!(
                    "k1 of a query by text goes from 0 to 1,000,000 and b from 0 to 1, got {k1} and {b}"
                )));
            }
            Ok(())
        }
        Query::Fusion(fusion) => {
            if at.prefetch.is_empty() {
                return Err(invalid(
                    "a fusion needs prefetches, whose results it makes one list of",
                ));
            }
            fusion_of(fusion, at.prefetch.len())
        }
        Query::Formula(_) => {
            if at.prefetch.is_empty() {
                return Err(invalid("a formula needs prefetches, whose results it scores"));
            }
            Ok(())
        }
    }
}

fn fusion_of(fusion: &Fusion, lists: usize) -> Result<()> {
    let Fusion::Rrf { k, weights } = fusion else {
        return Ok(());
    };
    positive("k", *k as usize)?;
    let Some(weights) = weights else { return Ok(()) };
    if weights.len() != lists {
        return Err(invalid(format!(
            "a fusion needs a weight for each prefetch: there are {lists}, and {} weights",
            weights.len()
        )));
    }
    match weights
        .iter()
        .find(|weight| !weight.is_finite() || **weight < 0.0)
    {
        Some(odd) => Err(invalid(format!(
            "weights of a fusion must be finite and at least 0, got {odd}"
        ))),
        None => Ok(()),
    }
}
