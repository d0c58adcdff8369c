//! Points whose time is past are deleted.

use std::sync::Arc;

use vdb_index::Control;
use vdb_storage::PointId;

use crate::core::Core;
use crate::error::Result;
use crate::filter::{CompiledFilter, Condition, Filter};
use crate::maintenance::schema::change_schema;
use crate::query::allowance::Allowance;
use crate::query::scroll;
use crate::shared::Shared;
use crate::ttl::Ttl;
use crate::write::batch::{Entry, Operation};

/// Points that one deletion names: few enough that other writers hardly wait for it.
const TOGETHER: usize = 4_096;

/// Says by which field the points of a collection end, or that none do.
pub(crate) fn set_ttl(shared: &Shared, core: &Core, ttl: Option<Ttl>) -> Result<()> {
    shared.check_writable()?;
    if let Some(ttl) = &ttl {
        ttl.validate()?;
    }
    if core.tables().schema.ttl != ttl {
        change_schema(shared, core, |schema| {
            schema.ttl = ttl;
            Ok(true)
        })?;
    }
    shared.sweeper.wake();
    Ok(())
}

/// Deletes what is past its time by the database's clock; answers how many points were found to be.
///
/// They are looked for as a reader does, beside writers. The deletion names them and asks once more under the sequencer, for
/// those that were given another time meanwhile. The log has the ids that came of it, and no time.
pub(crate) fn sweep(shared: &Arc<Shared>, core: &Arc<Core>, control: &Control<'_>) -> Result<u64> {
    shared.check_writable()?;
    let Some(ttl) = core.tables().schema.ttl.clone() else {
        return Ok(0);
    };
    let ended = ttl.ended(shared.options.clock.now());
    let filter = CompiledFilter::new(&ended, &*core.tables().schema)?;
    let (mut from, mut found) = (None, 0);
    loop {
        let allowance = Allowance::new(*control, "sweeping", shared.options.answer_bytes);
        let ids: Vec<PointId> = {
            let view = core.view(&shared.visibility);
            let page = scroll::page(&view, from, Some(&filter), TOGETHER, &allowance)?;
            page.into_iter().map(|(id, _)| id).collect()
        };
        let Some(&last) = ids.last() else {
            return Ok(found);
        };
        let count = ids.len();
        let target = Filter::must([Condition::has_id(ids), Condition::Filter(Box::new(ended.clone()))]);
        let delete = Operation::Delete {
            target: target.into(),
        };
        let entry = (core.clone(), Entry::Operation(delete));
        shared
            .submit(vec![entry], shared.options.durability, control)?
            .acknowledge()?;
        found += count as u64;
        if count < TOGETHER {
            return Ok(found);
        }
        from = Some(last);
    }
}

#[cfg(test)]
mod tests;
