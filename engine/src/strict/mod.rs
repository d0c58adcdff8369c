//! What are requests to a collection held to?
//!
//! The one place that knows what a [`StrictMode`] means. Whoever takes a request asks here before anything is done: the
//! handles of collections for reads and upkeep, they and the database for writes.
//!
//! | file | what |
//! |---|---|
//! | `mod.rs` | who is asked, limits that are numbers, rates |
//! | `filters.rs` | conditions, and the indexes that they need |
//! | `reads.rs` | searches, queries, pages, counts |
//! | `scans.rs` | queries that compare all vectors |
//! | `writes.rs` | operations, payload indexes |

mod filters;
mod reads;
mod scans;
mod writes;

pub(crate) use filters::unindexed;
pub(crate) use writes::{admit_operation, admit_writes};

use vdb_sys::sync::{Instant, Mutex};

use crate::config::Options;
use crate::core::Core;
use crate::error::{Error, Result};
use crate::rates::{Bucket, Refusal};
use crate::settings::StrictMode;
use crate::tables::Tables;

/// What a request to one collection is held to.
pub(crate) struct Strict<'a> {
    limits: &'a StrictMode,
    core: &'a Core,
    tables: &'a Tables,
}

/// Asks about a request to a collection, if it is held to anything.
pub(crate) fn admit(
    options: &Options,
    core: &Core,
    ask: impl FnOnce(&Strict<'_>) -> Result<()>,
) -> Result<()> {
    if !options.strict_mode {
        return Ok(());
    }
    let tables = core.tables();
    match tables.schema.strict_mode() {
        None => Ok(()),
        Some(limits) => ask(&Strict {
            limits,
            core,
            tables: &tables,
        }),
    }
}

fn refused(limit: &'static str, what: String, help: impl Into<String>) -> Error {
    Error::StrictMode {
        limit,
        what,
        help: help.into(),
    }
}

/// Refuses a number above its limit. `name` is what a caller calls it.
fn at_most(limit: &'static str, most: Option<u64>, name: &str, found: usize) -> Result<()> {
    match most {
        Some(most) if found as u64 > most => Err(refused(
            limit,
            format!("Limit exceeded {found} > {most} for \"{name}\""),
            format!("Reduce the \"{name}\" parameter to or below {most}."),
        )),
        Some(_) | None => Ok(()),
    }
}

/// Takes tokens, if there is a limit to them.
fn take(limit: &'static str, bucket: &Mutex<Bucket>, most: Option<u64>, cost: usize) -> Result<()> {
    let Some(most) = most else { return Ok(()) };
    let taken = bucket.lock().take(cost as u64, most, Instant::now());
    match taken {
        Ok(()) => Ok(()),
        Err(Refusal::TooMany) => Err(refused(
            limit,
            format!("this takes {cost} of the {most} that are allowed in a minute"),
            "Split it.",
        )),
        Err(Refusal::After(retry_after)) => Err(Error::RateLimit {
            limit,
            most,
            retry_after,
        }),
    }
}

#[cfg(test)]
mod tests;
