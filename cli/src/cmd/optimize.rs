//! Merging segments and building graphs with a progress bar, for the commands that do so.

use std::time::{Duration, Instant};

use vdb::{Collection, Control};

use crate::failure::Outcome;
use crate::interrupt;
use crate::out::Out;
use crate::progress::{self, Unit};

/// Brings a collection into its best shape and says how long it took.
pub(crate) fn optimize(collection: &Collection, out: &Out) -> Outcome<Duration> {
    interrupt::watch();
    let started = Instant::now();
    let bar = progress::bar(out, "indexing", None, Unit::Rows);
    let report = |done: u64, total: u64| progress::report(&bar, Unit::Rows, done, total);
    let outcome = collection.optimize(&Control::new(&interrupt::asked_to_stop, &report));
    bar.finish_and_clear();
    outcome?;
    Ok(started.elapsed())
}
