//! A segment as filters look things up in it.

use vdb_index::RowSet;
use vdb_index::postings::PostingsFile;
use vdb_storage::PointId;

use super::Segment;
use crate::filter::{IndexLookup, Slice};
use crate::schema::Schema;

/// The ids and payload indexes of a segment.
pub(crate) struct SegmentLookup<'a> {
    segment: &'a Segment,
    schema: &'a Schema,
}

impl<'a> SegmentLookup<'a> {
    pub(super) fn new(segment: &'a Segment, schema: &'a Schema) -> Self {
        SegmentLookup { segment, schema }
    }
}

impl IndexLookup for SegmentLookup<'_> {
    fn rows(&self) -> u32 {
        self.segment.rows()
    }

    fn postings(&self, path: &str) -> Option<&PostingsFile> {
        let index = self
            .schema
            .payload_indexes
            .iter()
            .find(|index| index.path == path)?;
        self.segment.index(index.number)
    }

    fn row_of(&self, id: &PointId) -> Option<u32> {
        self.segment.points.find(*id)
    }

    fn rows_with_vector(&self, name: &str) -> Option<RowSet> {
        let slot = self.schema.slot(name);
        let presence = slot.and_then(|slot| self.segment.presence(slot));
        Some(presence.map_or_else(RowSet::new, |bits| RowSet::Bits(bits.clone())))
    }

    fn count_with_vector(&self, name: &str) -> Option<u64> {
        let slot = self.schema.slot(name);
        Some(slot.map_or(0, |slot| self.segment.rows_with_vector(slot).into()))
    }

    fn rows_in_slice(&self, slice: Slice) -> Option<RowSet> {
        let points = &self.segment.points;
        Some(slice.rows_among(points.numbers(), points.uuids()))
    }
}
