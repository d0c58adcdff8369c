//! Which rows of a segment can match a filter, as far as its payload indexes know?
//!
//! Every condition is answered by two sets: rows that *certainly* match and rows that *possibly* do. `and`, `or`,
//! `not` and counting work on both at once, so that a `must_not` of something half known still narrows the rows.
//! When the two sets are one, the answer is exact and no row has to be looked at.
//!
//! What an index can say of a condition (`=` exact; `<=` a superset; `+F` also rows with values the index does not
//! hold, [`Class::Foreign`](vdb_index::postings::Class), of which a segment with values of one type has none, and
//! then it is exact):
//!
//! | condition | keyword | integer | float | bool | datetime | uuid | geo |
//! |---|---|---|---|---|---|---|---|
//! | match string, any of strings | `=` | `<= F` | `<= F` | `<= F` | `<=` | `=` as text of the index, else `<= F` | `<= F` |
//! | prefix | `=` | `<= F` | `<= F` | `<= F` | `<=` | `<=` | `<= F` |
//! | text, text_any, phrase | `<=` any string | `<= F` | `<= F` | `<= F` | `<=` | `<=` | `<= F` |
//! | match integer, any of integers | `<= F` | `=` | `<=` equal as float | `<= F` | `<= F` | `<= F` | `<= F` |
//! | match bool | `<= F` | `<= F` | `<= F` | `=` | `<= F` | `<= F` | `<= F` |
//! | except strings | `=`, rows with several of them `<=` | any integer `+F` | any number `+F` | any bool `+F` | `<=` | as keyword, `<= F` of other texts | any position `+F` |
//! | except integers | any string `+F` | `=`, rows with several of them `<=` | `<=` | any bool `+F` | any datetime `+F` | any `+F` | any position `+F` |
//! | range | `<= F` | `=` of the integers, `+F` | `=` | `<= F` | `<= F` | `<= F` | `<= F` |
//! | datetime range | `<=` any string | `<= F` | `<= F` | `<= F` | `=` | `<= F` | `<= F` |
//! | box, radius, polygon | `<= F` | `<= F` | `<= F` | `<= F` | `<= F` | `<= F` | `=` but in cells on the edge |
//! | is_empty, is_null | `=` | `=` | `=` | `=` | `=` | `=` | `=` |
//! | values_count | `=` | `=` | `=` | `=` | `=` | `=` | `=` |
//!
//! Where there is an index of UUIDs, strings that are UUIDs are compared as such ([`super::uuid`]): then it answers `match string`
//! and `any` by `=`, `except` as one of keywords, but for other spellings than it holds, `+F`.
//!
//! An index of texts answers `text`, `text_any` and `phrase` by `=`, as tokens: those are compiled for
//! the index that is there ([`super::text`]). It is `<=` for every other condition on strings, and `<= F` for what no text satisfies.
//!
//! A nested condition asks that one object satisfies everything; an index of `a[].b` knows only that some object
//! does, unless it knows of each value in which elements of `a` it is: one with a single `[]` before its last step does. By
//! those, conditions on values are combined object by object (`objects.rs`), but for rows with values that the index does
//! not hold, or with many objects. One condition alone is answered as exactly as without the nesting; others, and one that
//! wants several tokens, which may be of several objects, by a superset.
//!
//! | file | what it holds |
//! |---|---|
//! | `area.rs` | the keys of an index of positions that lie in an area |
//! | `leaf.rs` | the table above: one condition in terms of one index |
//! | `rows.rs` | sets of rows and of their complements, and certain-possible pairs of them |
//! | `objects.rs` | what one object has to satisfy |
//! | `collect.rs` | the rows of a filter |
//! | `estimate.rs` | how many they are, without reading them |
//! | `explain.rs` | both by condition, for people |
//! | `required.rs` | values that every row which matches has |

mod area;
mod collect;
mod estimate;
mod explain;
mod leaf;
mod objects;
mod required;
mod rows;

use vdb_index::RowSet;
use vdb_index::postings::{Estimate, PostingsFile};
use vdb_storage::PointId;

pub use explain::{ConditionPlan, ServedBy};

pub(crate) use explain::conditions as plan_of_conditions;
pub(crate) use required::Required;

use super::{compile::CompiledFilter, slice::Slice};

/// What a segment offers to the planner. Everything is about the segment's rows as they were written, deleted or
/// not; the caller takes the deleted ones away.
pub(crate) trait IndexLookup {
    /// Rows of the segment.
    fn rows(&self) -> u32;

    /// The index of a payload path, which is given by its canonical text (see
    /// [`PayloadPath`](super::PayloadPath)).
    fn postings(&self, path: &str) -> Option<&PostingsFile>;

    /// The row of a point, `None` when this segment does not have it.
    fn row_of(&self, id: &PointId) -> Option<u32>;

    /// The rows that have the vector `name`; `None` when that is not known, and conditions on it have to be asked
    /// of every row.
    fn rows_with_vector(&self, _name: &str) -> Option<RowSet> {
        None
    }

    /// How many rows that are; known without reading them.
    fn count_with_vector(&self, _name: &str) -> Option<u64> {
        None
    }

    /// The rows of points in a slice; `None` when that has to be asked of every row.
    fn rows_in_slice(&self, _slice: Slice) -> Option<RowSet> {
        None
    }

    /// Bytes that an answer may take beside what it has taken so far: marks of elements are made where they take a small part of
    /// these, and are given back before the answer takes any more.
    fn room(&self) -> usize {
        usize::MAX
    }

    /// Asked for every item of a list: whether to go on to the next.
    fn goes_on(&self) -> bool {
        true
    }

    /// Asked for every condition: whether the answer is wanted no more. Once [`goes_on`](Self::goes_on) has said no, this
    /// says yes.
    fn is_over(&self) -> bool {
        false
    }
}

/// The rows of a segment that a filter leaves.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Candidates {
    /// These rows match and no others.
    Exact(RowSet),
    /// These rows match, and others may.
    Between {
        /// They match.
        certain: RowSet,
        /// No others match: these, and more of which each has to be asked.
        possible: RowSet,
    },
    /// No index helps: any row can match.
    Unknown,
}

/// The rows of a segment that can match `filter`.
///
/// # Errors
/// [`Cancelled`](vdb_index::Error::Cancelled) when `indexes` says that it [is over](IndexLookup::is_over). Otherwise an index
/// that was asked is damaged. Indexes are derived data: go on as with [`Candidates::Unknown`] and rebuild.
pub(crate) fn candidates(
    filter: &CompiledFilter,
    indexes: &dyn IndexLookup,
) -> vdb_index::Result<Candidates> {
    collect::candidates(&filter.root, indexes)
}

/// About how many rows of a segment match `filter`; cheap, reads no rows. A condition that no index knows counts as
/// none to all rows, half of them expected; conditions count as independent.
///
/// # Errors
/// As [`candidates`].
pub(crate) fn estimate(filter: &CompiledFilter, indexes: &dyn IndexLookup) -> vdb_index::Result<Estimate> {
    estimate::Estimates::new(indexes).clauses(&filter.root)
}

/// Values that every row of a segment which matches `filter` has, as far as its indexes know values exactly; not all of them where
/// there are many.
///
/// # Errors
/// As [`candidates`].
pub(crate) fn required<'f>(
    filter: &'f CompiledFilter,
    indexes: &dyn IndexLookup,
) -> vdb_index::Result<Vec<Required<'f>>> {
    let mut found = Vec::new();
    required::required(&filter.root, indexes, true, &mut found)?;
    Ok(found)
}

#[cfg(test)]
mod tests;
