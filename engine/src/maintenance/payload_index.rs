//! Payload indexes come and go.

use vdb_index::Control;
use vdb_sys::sync::atomic::Ordering;

use crate::core::Core;
use crate::error::{Error, Result, within};
use crate::filter::PayloadPath;
use crate::limits::MAX_PAYLOAD_INDEXES;
use crate::maintenance::derive;
use crate::maintenance::schema::change_schema;
use crate::payload::PayloadIndexParams;
use crate::schema::PayloadIndexSchema;
use crate::shared::Shared;

/// Adds an index, or replaces the one of another kind on the same path, and builds it for every segment. Of one of the same
/// kind only the options change, unless they ask for other tokens of texts: then it is another index too. Cancelled, the index is in the schema all the same: filters read the payloads of the
/// segments that lack it until the optimizer, or another call, has built it.
pub(crate) fn create(
    shared: &Shared,
    core: &Core,
    path: &str,
    params: PayloadIndexParams,
    control: &Control<'_>,
) -> Result<()> {
    shared.check_writable()?;
    let path = PayloadPath::parse(path)?.to_string();
    params.validate()?;
    let same = |i: &PayloadIndexSchema| i.path == path && i.params == params;
    if !core.tables().schema.payload_indexes.iter().any(same) {
        change_schema(shared, core, |schema| {
            if let Some(index) = schema.payload_indexes.iter_mut().find(|i| i.path == path)
                && index.serves(&params)?
            {
                index.params = params;
                return Ok(true);
            }
            schema.payload_indexes.retain(|i| i.path != path);
            let count = schema.payload_indexes.len() + 1;
            within("payload indexes of a collection", MAX_PAYLOAD_INDEXES, count)?;
            let number = schema.next_payload_index;
            schema.next_payload_index = number.checked_add(1).ok_or(Error::Limit {
                what: "payload indexes ever created in a collection",
                limit: usize::from(u16::MAX),
                found: usize::from(u16::MAX) + 1,
            })?;
            let index = PayloadIndexSchema::new(number, path.clone(), params)?;
            schema.payload_indexes.push(index);
            Ok(true)
        })?;
        // The memtable that was in use is frozen where texts are indexed.
        shared.flusher.wake();
    }
    build_missing(shared, core, control)
}

/// Builds the indexes that segments lack; graphs are left to the optimizer.
fn build_missing(shared: &Shared, core: &Core, control: &Control<'_>) -> Result<()> {
    core.foreground.fetch_add(1, Ordering::AcqRel);
    let turn = core.optimizing.lock();
    let tables = core.tables();
    let mut lacking = tables
        .segments
        .iter()
        .filter_map(|s| Some((s.record.id, derive::rows_to_index(&tables.schema, s)?)));
    let total = lacking.clone().map(|(_, rows)| rows).sum();
    let mut before = 0;
    let outcome = lacking.try_for_each(|(id, rows)| {
        shared.check_open()?;
        let cancelled = || control.is_cancelled();
        let progress = |done: u64, _| control.report(before + done, total);
        let part = Control::new(&cancelled, &progress);
        derive::derive(
            shared,
            core,
            id,
            derive::What::PayloadIndexes,
            &shared.pool,
            &part,
        )?;
        before += rows;
        Ok(())
    });
    drop(turn);
    core.foreground.fetch_sub(1, Ordering::AcqRel);
    shared.optimizer.wake();
    outcome
}

/// Drops the index of a path. False when there is none.
pub(crate) fn drop_index(shared: &Shared, core: &Core, path: &str) -> Result<bool> {
    shared.check_writable()?;
    let path = PayloadPath::parse(path)?.to_string();
    change_schema(shared, core, |schema| {
        let before = schema.payload_indexes.len();
        schema.payload_indexes.retain(|i| i.path != path);
        Ok(schema.payload_indexes.len() < before)
    })
}

#[cfg(test)]
mod tests;
