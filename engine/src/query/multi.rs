//! Nearest multivectors of a segment by its graph: candidates by their encodings, compared in full.

use std::cell::RefCell;

use vdb_index::RowFilter;
use vdb_index::multi::{self, MultiScratch};
use vdb_sys::kernel::MaxSim;

use crate::error::Result;
use crate::query::allowance::Allowance;
use crate::query::prepared::Query;
use crate::query::rows::SegmentRows;
use crate::query::slots::Slots;
use crate::segment::{Order, SegmentMulti};

thread_local! {
    static SCRATCH: RefCell<MultiScratch> = RefCell::default();
}

/// The best rows by the graph, in order. `None` where all are to be compared instead: there is no graph, or it is not worth
/// walking, or it turns out damaged.
pub(super) fn walk(
    vectors: &SegmentMulti,
    rows: &SegmentRows<'_>,
    query: &Query<'_>,
    maxsim: &MaxSim<'_>,
    allowance: &Allowance<'_>,
) -> Result<Option<Vec<(f32, u32)>>> {
    let all = u64::from(vectors.file.len());
    let possible = rows.listed().map_or(all, |listed| listed.len().min(all));
    let Some(graph) = vectors.graph().filter(|_| query.walks(vectors, possible)) else {
        return Ok(None);
    };
    let params = query.walk_multi();
    let (Some(mut slots), Some(encoder)) = (
        vectors.slots(Order::Scattered),
        query
            .vector
            .graphed()
            .and_then(|vector| vector.encoder.as_deref()),
    ) else {
        return Ok(None);
    };
    let fde = encoder.fde()?;
    let allowed = Slots::new(rows, vectors.rows());
    let filter: Option<&dyn RowFilter> = (!rows.is_all()).then_some(&allowed);
    let held = params.ef.max(params.candidates).min(graph.len() as usize) * size_of::<u64>() * 2;
    allowance.take(held)?;
    let searched = SCRATCH.with_borrow_mut(|scratch| {
        let of = (fde, &slots);
        multi::search(
            graph.view(),
            of,
            maxsim,
            &params,
            filter,
            allowance.control(),
            scratch,
        )
    });
    allowance.give(held);
    if let Some(error) = slots.failure() {
        return Err(error);
    }
    let found = match searched {
        Ok(found) => found,
        Err(vdb_index::Error::Cancelled) => return Err(allowance.over()),
        Err(error) => return Err(error.into()),
    };
    if found.damaged {
        vectors.set_damaged();
        return Ok(None);
    }
    // A slot that is found has a row: slots were looked at when they were compared.
    let by_row = |(score, slot): (f32, u32)| {
        let row = vectors
            .rows()
            .map_or(Some(slot), |rows| rows.get(slot as usize).copied());
        Some((score, row?))
    };
    Ok(Some(found.hits.into_iter().filter_map(by_row).collect()))
}
