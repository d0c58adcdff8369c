//! Every point that matches a filter.

use std::sync::Arc;

use vdb_index::postings::Estimate;
use vdb_storage::PointId;
use vdb_wal::Lsn;

use crate::deletions::Deletions;
use crate::error::Result;
use crate::filter::{CompiledFilter, Filter, Undecided};
use crate::memtable::{MemRow, Memtable};
use crate::query::allowance::Allowance;
use crate::query::rows::{self, SegmentRows};
use crate::schema::Schema;
use crate::tables::{Located, StoredPoint, Tables, View};

/// Whose eyes a scan looks through.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Horizon {
    /// A writer's: all that has been applied.
    Latest,
    /// A reader's.
    At(Lsn),
}

impl Horizon {
    /// True when this version is seen.
    pub(crate) fn sees(self, row: &MemRow) -> bool {
        match self {
            Horizon::Latest => row.is_latest(),
            Horizon::At(lsn) => row.visible(lsn),
        }
    }

    /// True when this row of a segment is seen.
    pub(crate) fn sees_row(self, deletions: &Deletions, row: u32) -> bool {
        match self {
            Horizon::Latest => deletions.died_at(row).is_none(),
            Horizon::At(lsn) => deletions.is_live(row, lsn),
        }
    }
}

/// Whether a point matches, which is looked at for as long as `allowance` says.
pub(crate) fn matches(
    filter: &CompiledFilter,
    point: &StoredPoint<'_>,
    allowance: &Allowance<'_>,
) -> Result<bool> {
    filter.matches(point).map_err(|error| match error {
        Undecided::Damaged(damage) => damage.into(),
        Undecided::Stopped => allowance.over(),
    })
}

/// Whether a row of a memtable matches.
pub(crate) fn memtable_row_matches(
    schema: &Schema,
    row: &MemRow,
    filter: Option<&CompiledFilter>,
    allowance: &Allowance<'_>,
) -> Result<bool> {
    let Some(filter) = filter else { return Ok(true) };
    allowance.go_on(row.payload.len())?;
    let point = StoredPoint {
        schema,
        id: row.id,
        payload: &row.payload,
        has_vector: &|slot| row.has_vector(slot),
        texts: row.texts(),
        goes_on: &|bytes| allowance.goes_on(bytes),
    };
    matches(filter, &point, allowance)
}

fn each_in_memtable(
    schema: &Schema,
    table: &Memtable,
    horizon: Horizon,
    (filter, allowance): (Option<&CompiledFilter>, &Allowance<'_>),
    mut found: impl FnMut(u32, &MemRow) -> Result<()>,
) -> Result<()> {
    for (at, row) in table.rows() {
        allowance.beat()?;
        if horizon.sees(row) && memtable_row_matches(schema, row, filter, allowance)? {
            found(at, row)?;
        }
    }
    Ok(())
}

/// Calls `found` with every row of the memtables that matches, in no particular order.
pub(crate) fn each_in_memory(
    view: &View,
    horizon: Horizon,
    filter: Option<&CompiledFilter>,
    allowance: &Allowance<'_>,
    mut found: impl FnMut(u32, &MemRow) -> Result<()>,
) -> Result<()> {
    for table in view.tables.memtables() {
        each_in_memtable(
            &view.tables.schema,
            table,
            horizon,
            (filter, allowance),
            &mut found,
        )?;
    }
    Ok(())
}

/// Calls `found` with every point that matches and is in no segment yet, in no particular order.
pub(crate) fn each_fresh(
    tables: &Tables,
    horizon: Horizon,
    filter: Option<&CompiledFilter>,
    allowance: &Allowance<'_>,
    mut found: impl FnMut(PointId, Located) -> Result<()>,
) -> Result<()> {
    allowance.check()?;
    let among = (filter, allowance);
    for table in tables.memtables() {
        each_in_memtable(&tables.schema, table, horizon, among, |at, row| {
            found(row.id, Located::Memtable(table.clone(), at))
        })?;
    }
    Ok(())
}

/// Calls `found` with every point that matches, in no particular order.
pub(crate) fn each(
    tables: &Arc<Tables>,
    horizon: Horizon,
    filter: Option<&CompiledFilter>,
    allowance: &Allowance<'_>,
    mut found: impl FnMut(PointId, Located) -> Result<()>,
) -> Result<()> {
    each_fresh(tables, horizon, filter, allowance, &mut found)?;
    for segment in &tables.segments {
        SegmentRows::new(&tables.schema, segment, horizon, filter, allowance)?.each(|row| {
            match segment.points.id(row) {
                Some(id) => found(id, Located::Segment(segment.clone(), row)),
                None => Ok(()),
            }
        })?;
    }
    Ok(())
}

/// How many points that are in no segment yet match.
pub(super) fn count_in_memory(
    view: &View,
    filter: Option<&CompiledFilter>,
    allowance: &Allowance<'_>,
) -> Result<u64> {
    let (schema, horizon) = (&view.tables.schema, Horizon::At(view.lsn));
    let mut count = 0;
    for table in view.tables.memtables() {
        each_in_memtable(schema, table, horizon, (filter, allowance), |_, _| {
            count += 1;
            Ok(())
        })?;
    }
    Ok(count)
}

/// About how many points match, without reading payloads of segments.
pub(crate) fn estimate(view: &View, filter: &Filter, allowance: &Allowance<'_>) -> Result<Estimate> {
    let compiled = CompiledFilter::new(filter, &*view.tables.schema)?;
    allowance.check()?;
    let filter = Some(&compiled).filter(|f| !f.is_unconditional());
    let schema = &view.tables.schema;
    let mut sum = Estimate::exactly(count_in_memory(view, filter, allowance)?);
    for segment in &view.tables.segments {
        allowance.check()?;
        let bounds = rows::bounds(schema, segment, filter, allowance)?;
        let dead = segment.deletions.dead_at(view.lsn);
        sum.min += bounds.min.saturating_sub(dead);
        sum.expected += bounds
            .expected
            .saturating_sub(bounds.expected * dead / u64::from(segment.rows()).max(1));
        sum.max += bounds.max.min(u64::from(segment.rows()) - dead);
    }
    Ok(sum)
}

/// How many points match.
pub(crate) fn count(view: &View, filter: Option<&Filter>, allowance: &Allowance<'_>) -> Result<u64> {
    let compiled = filter.map(|filter| CompiledFilter::new(filter, &*view.tables.schema));
    let compiled = compiled.transpose()?;
    allowance.check()?;
    let filter = compiled.as_ref().filter(|f| !f.is_unconditional());
    let horizon = Horizon::At(view.lsn);
    let mut count = count_in_memory(view, filter, allowance)?;
    for segment in &view.tables.segments {
        count += SegmentRows::new(&view.tables.schema, segment, horizon, filter, allowance)?.count()?;
    }
    Ok(count)
}
