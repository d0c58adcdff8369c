//! Pages of points in the order of their ids.

use std::ops::Bound;
use std::time::Duration;

use vdb_storage::PointId;

use crate::error::{Error, Result, within};
use crate::filter::{CompiledFilter, Filter};
use crate::limits::MAX_LIMIT;
use crate::point::{Record, Select};
use crate::query::allowance::Allowance;
use crate::query::fetch;
use crate::query::matching::{Horizon, memtable_row_matches};
use crate::query::rows::SegmentRows;
use crate::setters::setters;
use crate::tables::{Located, View};

/// What to page through.
///
/// ```
/// # use vdb::{CollectionConfig, Database, Distance, Point, VectorParams};
/// use vdb::ScrollRequest;
/// # let db = Database::builder().open_in_memory()?;
/// # let points = db.create_collection("p", CollectionConfig::new(VectorParams::new(1, Distance::Dot)))?;
/// # points.upsert((0u64..25).map(|i| Point::new(i, [1.0])).collect())?;
/// let mut request = ScrollRequest::new().limit(10);
/// let mut seen = 0;
/// loop {
///     let page = points.scroll(&request)?;
///     seen += page.points.len();
///     match page.next_offset {
///         Some(next) => request = request.offset(next),
///         None => break,
///     }
/// }
/// assert_eq!(seen, 25);
/// # Ok::<_, vdb::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ScrollRequest {
    /// The first id of the page, or the first one after it that exists.
    pub offset: Option<PointId>,
    /// Most points of the page: 1 to [`MAX_LIMIT`].
    pub limit: usize,
    /// Only points that match.
    pub filter: Option<Filter>,
    /// What comes back with each point.
    pub select: Select,
    /// How long it may take, else [`Error::Timeout`]; as the database says
    /// ([`read_timeout`](crate::DatabaseBuilder::read_timeout)) by default.
    pub timeout: Option<Duration>,
}

impl Default for ScrollRequest {
    fn default() -> Self {
        ScrollRequest {
            offset: None,
            limit: 10,
            filter: None,
            select: Select::payload(),
            timeout: None,
        }
    }
}

impl ScrollRequest {
    /// The first ten points, with payloads.
    pub fn new() -> Self {
        ScrollRequest::default()
    }

    setters! {
        /// Starts at this id, or at the first one after it that exists.
        offset(some into PointId);
        /// Most points of the page.
        limit(usize);
        /// Only points that match.
        filter(some Filter);
        /// What comes back with each point.
        select(Select);
        /// How long it may take.
        timeout(some Duration);
    }
}

/// A page of points.
#[derive(Clone, Debug, PartialEq)]
pub struct ScrollPage {
    /// The points, ascending by id.
    pub points: Vec<Record>,
    /// Where the next page starts; none at the end.
    pub next_offset: Option<PointId>,
}

/// Which way a page lies from where it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// From an id on, ascending.
    Forward,
    /// Before an id, descending.
    Backward,
}

pub(crate) fn scroll(
    view: &View,
    request: &ScrollRequest,
    direction: Direction,
    allowance: &Allowance<'_>,
) -> Result<ScrollPage> {
    if request.limit == 0 {
        return Err(Error::InvalidRequest(
            "the limit of a scroll must be at least 1".into(),
        ));
    }
    within("limit of a scroll", MAX_LIMIT, request.limit)?;
    let schema = &view.tables.schema;
    fetch::check(schema, &request.select)?;
    allowance.check()?;
    let compiled = request.filter.as_ref();
    let compiled = compiled.map(|filter| CompiledFilter::new(filter, &**schema));
    let compiled = compiled.transpose()?;
    let filter = compiled.as_ref().filter(|f| !f.is_unconditional());
    // One more than asked for says whether there is a next page, and where it starts.
    let want = request.limit + 1;
    let mut found = match direction {
        Direction::Forward => page(view, request.offset, filter, want, allowance)?,
        Direction::Backward => page_back(view, request.offset, filter, want, allowance)?,
    };
    let next = match direction {
        Direction::Forward => want - 1,
        Direction::Backward => want - 2,
    };
    let next_offset = found.get(want - 1).and(found.get(next)).map(|(id, _)| *id);
    found.truncate(want - 1);
    let points = found
        .iter()
        .map(|(id, at)| fetch::record(schema, &request.select, (*id, at), allowance));
    Ok(ScrollPage {
        points: points.collect::<Result<_>>()?,
        next_offset,
    })
}

/// The first `want` points that match from an id on, in the order of ids.
pub(crate) fn page(
    view: &View,
    from: Option<PointId>,
    filter: Option<&CompiledFilter>,
    want: usize,
    allowance: &Allowance<'_>,
) -> Result<Vec<(PointId, Located)>> {
    let schema = &view.tables.schema;
    let mut found: Vec<(PointId, Located)> = Vec::new();
    for table in view.tables.memtables() {
        let mut start = from.map_or(Bound::Unbounded, Bound::Included);
        let mut taken = 0;
        while taken < want {
            let batch = table.page(start, want, view.lsn);
            let Some(&(last, _)) = batch.last() else { break };
            for (id, row) in batch {
                allowance.beat()?;
                if let Some(version) = table.row(row)
                    && memtable_row_matches(schema, version, filter, allowance)?
                {
                    found.push((id, Located::Memtable(table.clone(), row)));
                    taken += 1;
                }
            }
            start = Bound::Excluded(last);
        }
        allowance.take(taken * size_of::<(PointId, Located)>())?;
    }
    for segment in &view.tables.segments {
        let start = from.map_or(0, |id| segment.points.lower_bound(id));
        let rows = SegmentRows::for_page(schema, segment, Horizon::At(view.lsn), filter, allowance, want)?;
        let page = rows.page(start, want)?;
        allowance.take(page.len() * size_of::<(PointId, Located)>())?;
        for row in page {
            if let Some(id) = segment.points.id(row) {
                found.push((id, Located::Segment(segment.clone(), row)));
            }
        }
    }
    found.sort_unstable_by_key(|(id, _)| *id);
    Ok(cut(found, want, allowance))
}

/// The last `want` points that match before an id, or of all, in the reverse order of ids.
fn page_back(
    view: &View,
    before: Option<PointId>,
    filter: Option<&CompiledFilter>,
    want: usize,
    allowance: &Allowance<'_>,
) -> Result<Vec<(PointId, Located)>> {
    let schema = &view.tables.schema;
    let mut found: Vec<(PointId, Located)> = Vec::new();
    for table in view.tables.memtables() {
        let mut end = before.map_or(Bound::Unbounded, Bound::Excluded);
        let mut taken = 0;
        while taken < want {
            let batch = table.page_back(end, want, view.lsn);
            let Some(&(last, _)) = batch.last() else { break };
            for (id, row) in batch {
                allowance.beat()?;
                if let Some(version) = table.row(row)
                    && memtable_row_matches(schema, version, filter, allowance)?
                {
                    found.push((id, Located::Memtable(table.clone(), row)));
                    taken += 1;
                }
            }
            end = Bound::Excluded(last);
        }
        allowance.take(taken * size_of::<(PointId, Located)>())?;
    }
    for segment in &view.tables.segments {
        let end = before.map_or(segment.rows(), |id| segment.points.lower_bound(id));
        let rows = SegmentRows::for_page(schema, segment, Horizon::At(view.lsn), filter, allowance, want)?;
        let page = rows.page_back(end, want)?;
        allowance.take(page.len() * size_of::<(PointId, Located)>())?;
        for row in page {
            if let Some(id) = segment.points.id(row) {
                found.push((id, Located::Segment(segment.clone(), row)));
            }
        }
    }
    found.sort_unstable_by_key(|(id, _)| std::cmp::Reverse(*id));
    Ok(cut(found, want, allowance))
}

/// The first `want` points of several pages; the others are counted no more.
fn cut(
    mut found: Vec<(PointId, Located)>,
    want: usize,
    allowance: &Allowance<'_>,
) -> Vec<(PointId, Located)> {
    let more = found.len().saturating_sub(want);
    found.truncate(want);
    allowance.give(more * size_of::<(PointId, Located)>());
    found
}

#[cfg(test)]
mod tests;
