//! Points that no index knows: each payload is read, and its texts cut, unless a memtable has kept their tokens.

use vdb_storage::payload::ObjectRef;

use super::prepared::Prepared;
use super::score::Totals;
use crate::error::Result;
use crate::filter::Tokens;
use crate::memtable::{MemRow, Memtable};
use crate::query::allowance::Allowance;
use crate::segment::Segment;
use crate::tables::View;

/// A point that was read, if it has a token of the query.
pub(super) struct ReadRow {
    pub(super) row: u32,
    pub(super) length: u32,
    /// How often it has each token of the query.
    pub(super) counts: Box<[u32]>,
}

impl ReadRow {
    /// The tokens that it has, by number, and how often.
    pub(super) fn terms(&self) -> impl Iterator<Item = (usize, u32)> + '_ {
        let counts = self.counts.iter().copied().enumerate();
        counts.filter(|(_, count)| *count > 0)
    }
}

/// Reads one payload: adds to the totals, and returns the row if it has a token of the query.
pub(super) fn read_row(
    query: &Prepared<'_>,
    row: u32,
    payload: &[u8],
    counts: &mut Vec<u32>,
    totals: &mut Totals,
) -> Result<Option<ReadRow>> {
    counts.clear();
    counts.resize(query.tokens.len(), 0);
    let payload = ObjectRef::from_payload(payload)?;
    let length = query
        .analysis
        .count(payload, query.path.steps(), &query.tokens, counts)?;
    Ok(count_row(row, length, counts, totals))
}

/// The tokens of a fresh row, where they are kept.
fn kept_tokens<'a>(query: &Prepared<'_>, row: &'a MemRow) -> Result<Option<&'a Tokens>> {
    let Some(texts) = row.texts() else {
        return Ok(None);
    };
    Ok(texts.tokens(query.number, || {
        let payload = ObjectRef::from_payload(&row.payload)?;
        query.analysis.tokens(payload, query.path.steps())
    })?)
}

/// Adds a row of so many tokens, which has those of the query as often as counted, to the totals, and returns it if it has one.
fn count_row(row: u32, length: u32, counts: &[u32], totals: &mut Totals) -> Option<ReadRow> {
    totals.points += u64::from(length > 0);
    totals.tokens += u64::from(length);
    let mut has_some = false;
    for (with, &count) in totals.points_with.iter_mut().zip(counts) {
        *with += u64::from(count > 0);
        has_some |= count > 0;
    }
    has_some.then(|| ReadRow {
        row,
        length,
        counts: counts.into(),
    })
}

pub(super) fn read_memtable(
    view: &View,
    query: &Prepared<'_>,
    table: &Memtable,
    totals: &mut Totals,
    held: &mut usize,
    allowance: &Allowance<'_>,
) -> Result<Vec<ReadRow>> {
    let (mut found, mut counts) = (Vec::new(), Vec::new());
    for (at, row) in table.rows() {
        allowance.go_on(row.payload.len())?;
        if row.visible(view.lsn) {
            let read = match kept_tokens(query, row)? {
                Some(tokens) => {
                    counts.clear();
                    counts.extend(query.tokens.iter().map(|token| tokens.count(token)));
                    count_row(at, tokens.length(), &counts, totals)
                }
                None => read_row(query, at, &row.payload, &mut counts, totals)?,
            };
            keep(read, &mut found, held, allowance)?;
        }
    }
    Ok(found)
}

/// For a segment whose index is not built yet.
pub(super) fn read_segment(
    view: &View,
    query: &Prepared<'_>,
    segment: &Segment,
    totals: &mut Totals,
    held: &mut usize,
    allowance: &Allowance<'_>,
) -> Result<Vec<ReadRow>> {
    let (mut found, mut counts) = (Vec::new(), Vec::new());
    for row in 0..segment.rows() {
        allowance.beat()?;
        if segment.deletions.is_live(row, view.lsn) {
            let payload = segment.payload.get(row)?;
            allowance.go_on(payload.len())?;
            let read = read_row(query, row, payload, &mut counts, totals)?;
            keep(read, &mut found, held, allowance)?;
        }
    }
    Ok(found)
}

pub(super) fn keep(
    read: Option<ReadRow>,
    found: &mut Vec<ReadRow>,
    held: &mut usize,
    allowance: &Allowance<'_>,
) -> Result<()> {
    if let Some(read) = read {
        let bytes = size_of::<ReadRow>() + size_of_val::<[u32]>(&read.counts);
        allowance.take(bytes)?;
        *held += bytes;
        found.push(read);
    }
    Ok(())
}
