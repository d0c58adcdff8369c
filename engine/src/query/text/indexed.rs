//! Points of segments that have an index: how many have a token, and the scores of those.

use vdb_index::postings::{Class, Key, PostingsFile};

use super::prepared::Prepared;
use super::score::{Totals, Weights};
use crate::error::{Error, Result};
use crate::query::allowance::Allowance;
use crate::segment::Segment;
use crate::tables::View;

/// Why a table was not gone through.
pub(super) enum Failure {
    /// The index of a segment is damaged. It is derived data: the segment's payloads say the same.
    Index,
    Other(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Other(error)
    }
}

impl From<vdb_index::Error> for Failure {
    fn from(_: vdb_index::Error) -> Self {
        Failure::Index
    }
}

/// Adds what the index of a segment knows to the totals, without the rows that are dead.
pub(super) fn count_in_index(
    view: &View,
    query: &Prepared<'_>,
    segment: &Segment,
    index: &PostingsFile,
    totals: &mut Totals,
    allowance: &Allowance<'_>,
) -> Result<(), Failure> {
    let mut points = u64::from(index.class_len(Class::Present));
    let mut tokens = index.text_info().map_or(0, |info| info.tokens);
    let dead: Vec<u32> = segment
        .deletions
        .iter()
        .filter(|(_, lsn)| *lsn <= view.lsn)
        .map(|(row, _)| row)
        .collect();
    for &row in &dead {
        let length = index.text_length(row);
        points = points.saturating_sub(u64::from(length > 0));
        tokens = tokens.saturating_sub(u64::from(length));
    }
    totals.points += points;
    totals.tokens = totals.tokens.saturating_add(tokens);
    for (token, with) in query.tokens.iter().zip(&mut totals.points_with) {
        allowance.check()?;
        let key = Key::Term(token);
        *with += if dead.is_empty() {
            index.estimate_equals(key)?.expected
        } else {
            let rows = index.equals(key)?;
            let dead = dead.iter().filter(|row| rows.contains(**row)).count();
            rows.len() - dead as u64
        };
    }
    Ok(())
}

/// A row, the number of a token that it has, how often.
pub(super) type Posting = (u32, u32, u32);

/// Scores the rows of a segment by its index, and offers each.
pub(super) fn score_index(
    query: &Prepared<'_>,
    segment: &Segment,
    weights: &Weights,
    allowance: &Allowance<'_>,
    offer: &mut dyn FnMut(u32, f32) -> Result<()>,
) -> Result<(), Failure> {
    // Another reader may have found it damaged in between.
    let index = segment.index(query.number).ok_or(Failure::Index)?;
    let mut postings: Vec<Posting> = Vec::new();
    let scored = postings_of(index, query, allowance, &mut postings)
        .and_then(|()| score_postings(index, &postings, weights, allowance, offer));
    allowance.give(postings.len() * size_of::<Posting>());
    scored
}

/// Appends what an index holds of the tokens of a query, by row.
pub(super) fn postings_of(
    index: &PostingsFile,
    query: &Prepared<'_>,
    allowance: &Allowance<'_>,
    postings: &mut Vec<Posting>,
) -> Result<(), Failure> {
    for (number, token) in (0_u32..).zip(&query.tokens) {
        allowance.check()?;
        let rows = index.occurrences(token)?;
        let bytes = rows.len() * size_of::<Posting>();
        postings.extend(rows.into_iter().map(|(row, count)| (row, number, count)));
        allowance.take(bytes)?;
    }
    // Runs of rows, one a token: the sort merges them.
    postings.sort();
    Ok(())
}

pub(super) fn score_postings(
    index: &PostingsFile,
    postings: &[Posting],
    weights: &Weights,
    allowance: &Allowance<'_>,
    offer: &mut dyn FnMut(u32, f32) -> Result<()>,
) -> Result<(), Failure> {
    for of_row in postings.chunk_by(|(a, ..), (b, ..)| a == b) {
        allowance.beat()?;
        let Some(&(row, ..)) = of_row.first() else {
            continue;
        };
        let terms = of_row.iter().map(|(_, number, count)| (*number as usize, *count));
        offer(row, weights.score(index.text_length(row), terms))?;
    }
    Ok(())
}
