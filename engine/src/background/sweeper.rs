//! Points whose time is past are deleted.

use std::sync::Arc;

use vdb_index::Control;
use vdb_sys::sync::atomic::Ordering;

use crate::error::Error;
use crate::maintenance::sweep::sweep;
use crate::shared::Shared;

/// The body of the thread. It sleeps for good while no open collection has points that end.
pub(crate) fn run(shared: &Arc<Shared>) {
    let stopped = || shared.sweeper.is_stopped();
    let control = Control::new(&stopped, &|_, _| {});
    loop {
        let mut sweeps = false;
        for core in shared.open_cores() {
            if stopped() {
                return;
            }
            if core.tables().schema.ttl.is_none() {
                core.activity.swept(None);
                continue;
            }
            sweeps = true;
            match sweep(shared, &core, &control) {
                Ok(_) => core.activity.swept(None),
                Err(Error::Closed | Error::Cancelled) => {}
                // Told by `info`; the next look tries again.
                Err(error) if !core.dropped.load(Ordering::Acquire) => {
                    core.activity.swept(Some(error.to_string()));
                }
                Err(_) => {}
            }
        }
        if !shared
            .sweeper
            .sleep(sweeps.then_some(shared.options.sweep_interval))
        {
            return;
        }
    }
}
