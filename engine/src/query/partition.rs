//! The graph among the rows of one value, where a filter asks for that value.

use vdb_index::hnsw::PartitionView;

use crate::filter::{CompiledFilter, Required, required};
use crate::partitions::label;
use crate::query::prepared::Query;
use crate::schema::Schema;
use crate::segment::{Segment, SegmentVectors};

/// Up to this many rows a result of the beam, all of them are looked at rather than walked to. Of some thousand rows a walk scores 8 to 19
/// a result, and one of them costs nearly twice what it does in a scan.
const SCAN_ROWS_A_RESULT: u64 = 24;

/// The smallest graph that holds all rows which match a filter.
#[derive(Clone, Copy)]
pub(crate) struct Partition<'a> {
    pub(super) view: PartitionView<'a>,
    /// All of its rows match, if they are alive.
    pub(super) is_all: bool,
    /// The payload path of the value.
    pub(super) path: &'a str,
}

impl<'a> Partition<'a> {
    /// What there is for a filter; `None` where rows are found by other ways.
    pub(super) fn of(
        schema: &Schema,
        segment: &'a Segment,
        vectors: &'a SegmentVectors,
        filter: Option<&'a CompiledFilter>,
    ) -> Option<Self> {
        let partitions = vectors.partitions().filter(|found| found.values() > 0)?;
        vectors.graph()?;
        // What is wrong with an index is told by whoever reads its rows.
        let required = required(filter?, &segment.lookup(schema)).ok()?;
        let mut smallest: Option<Self> = None;
        for Required { path, key, is_all } in required {
            let index = schema.payload_indexes.iter().find(|index| index.path == path);
            let Some(label) = index.and_then(|index| label(index.number, key)) else {
                continue;
            };
            match partitions.find(&label) {
                Ok(Some(view)) if smallest.is_none_or(|smallest| view.len() < smallest.view.len()) => {
                    smallest = Some(Partition { view, is_all, path });
                }
                Ok(_) => {}
                Err(_) => {
                    // It is derived data: without it the answer takes longer and is the same.
                    vectors.set_partitions_damaged();
                    return None;
                }
            }
        }
        smallest
    }

    /// Whether a walk to the best of its rows is wanted, and costs less than looking at all of them.
    pub(super) fn is_walked(&self, query: &Query<'_>) -> bool {
        if query.is_exact() {
            return false;
        }
        let walk = query.walk();
        let width = self.view.width(walk.ef).max(walk.k) as u64;
        u64::from(self.view.len()) > width.saturating_mul(SCAN_ROWS_A_RESULT)
    }
}
