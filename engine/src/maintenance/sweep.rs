//! Points whose time is past are deleted.

use std::sync::Arc;

use vdb_index::Control;

use crate::core::Core;
use crate::error::Result;
use crate::maintenance::schema::change_schema;
use crate::shared::Shared;
use crate::ttl::Ttl;
use crate::write::batch::Operation;
use crate::write::prepare::prepare;
use crate::write::steps::{StepSize, Steps};

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

/// Deletes what is past its time by the database's clock, in steps; answers how many points were. Those that are given another
/// time meanwhile stay. The log has the ids that came of it, and no time.
pub(crate) fn sweep(shared: &Arc<Shared>, core: &Arc<Core>, control: &Control<'_>) -> Result<u64> {
    shared.check_writable()?;
    let Some(ttl) = core.tables().schema.ttl.clone() else {
        return Ok(0);
    };
    let ended = ttl.ended(shared.options.clock.now());
    let delete = Operation::Delete { target: ended.into() };
    let prepared = prepare(&core.tables().schema, delete)?;
    let (options, size) = (&shared.options, StepSize::new(&shared.options));
    let mut steps = Steps::new(shared, core, size, options.durability, control);
    let outcome = steps.run(&prepared);
    let deleted = steps.seen()?;
    outcome.map(|()| deleted)
}

#[cfg(test)]
mod tests;
