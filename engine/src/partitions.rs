//! Which payload values get a graph of their own, and by what label it is found.
//!
//! A search whose filter asks for a value walks the graph among the rows that have it
//! ([`partitions`](vdb_index::hnsw::partitions)), if there is one. There is for values of payload indexes that know them
//! exactly, where a walk costs clearly less than looking at all of the rows and the graph of all rows is no good way to them.

use vdb_index::Control;
use vdb_index::postings::{Class, Key, Kind, PostingsFile};

use crate::config::Options;
use crate::error::{Error, Result};
use crate::schema::Schema;

/// Values with fewer rows get no graph: a walk with a beam of 48 costs what looking at half as many does, a default one.
const MIN_ROWS: u32 = 2_048;

/// Nor do values with more than this share of the rows: walks over all score what does not match, and lose little by it.
pub(crate) const MAX_SHARE: f64 = 0.4;

/// The graphs of one payload index have no more rows together than this many times the segment's vectors; where rows have several
/// values,
const TIMES: u64 = 1;
/// than this many times. Values of many rows come first.
const TIMES_OF_SEVERAL: u64 = 2;

/// Those of all payload indexes together have no more than this many times the segment's vectors. Indexes that were
/// created earlier come first.
pub(crate) const MAX_TIMES: u64 = 4;

/// Keys between two looks at the cancel probe.
const STEP: u32 = 4_096;

/// From how many rows on a value gets a graph.
pub(crate) fn least_rows(options: &Options) -> u32 {
    options.partition_rows.unwrap_or(MIN_ROWS)
}

/// True for indexes whose values may get graphs.
pub(crate) fn are_exact(kind: Kind) -> bool {
    match kind {
        Kind::Keyword | Kind::Integer | Kind::Bool | Kind::Uuid => true,
        Kind::Float | Kind::Datetime | Kind::Geo | Kind::Text => false,
    }
}

/// True when the graphs are to be built in one way by one schema, and in another by the other.
pub(crate) fn differ(a: &Schema, b: &Schema) -> bool {
    let params = |schema: &Schema, slot| schema.dense(slot).map(|dense| dense.partitions);
    let both = a.vectors().filter(|&(slot, _)| b.vector(slot).is_some());
    both.map(|(slot, _)| slot)
        .any(|slot| params(a, slot) != params(b, slot))
}

/// What the graph of a value in the payload index of a number is known by; `None` where it never has one.
pub(crate) fn label(index: u16, key: Key<'_>) -> Option<Vec<u8>> {
    let mut label = index.to_le_bytes().to_vec();
    match key {
        Key::Term(term) => label.extend_from_slice(term.as_bytes()),
        Key::Integer(number) => label.extend_from_slice(&number.to_le_bytes()),
        Key::Bool(truth) => label.push(u8::from(truth)),
        Key::Uuid(uuid) => label.extend_from_slice(&uuid),
        Key::Float(_) | Key::Datetime(_) | Key::Cell(_) => return None,
    }
    Some(label)
}

/// The payload index that a label is of.
pub(crate) fn index_of(label: &[u8]) -> Option<u16> {
    label.first_chunk().map(|number| u16::from_le_bytes(*number))
}

/// The numbers of the keys of at least so many rows that get graphs, those of the most rows first, in a segment of so many vectors.
pub(crate) fn choose(
    index: &PostingsFile,
    least: u32,
    vectors: u32,
    control: &Control<'_>,
) -> Result<Vec<u32>> {
    let most = (f64::from(vectors) * MAX_SHARE) as u64;
    let mut large = Vec::new();
    for key in 0..index.keys() {
        if key % STEP == 0 && control.is_cancelled() {
            return Err(Error::Cancelled);
        }
        let rows = index.estimate_rows_of(std::slice::from_ref(&(key..key + 1)))?.max;
        if (u64::from(least)..=most).contains(&rows) {
            large.push((rows, key));
        }
    }
    large.sort_unstable_by_key(|&(rows, key)| (std::cmp::Reverse(rows), key));
    let times = match index.class_len(Class::Multiple) {
        0 => TIMES,
        _ => TIMES_OF_SEVERAL,
    };
    let mut left = u64::from(vectors) * times;
    large.retain(|&(rows, _)| match left.checked_sub(rows) {
        Some(rest) => {
            left = rest;
            true
        }
        None => false,
    });
    Ok(large.into_iter().map(|(_, key)| key).collect())
}

#[cfg(test)]
mod tests;
