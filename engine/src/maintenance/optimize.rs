//! The jobs in their order, in the foreground and in the background.

use std::sync::Arc;
use std::time::Duration;

use vdb_index::Control;
use vdb_sys::sync::atomic::Ordering;
use vdb_wal::Lsn;

use crate::core::Core;
use crate::error::{Error, Result};
use crate::maintenance::policy::{self, Job, SegmentStats};
use crate::maintenance::{derive, flush, merge, partitions};
use crate::partitions::least_rows;
use crate::segment::Segment;
use crate::shared::Shared;

/// While two memtables become segments within this time, merging and indexing wait: they would take the processors from
/// the writers, for segments that are soon merged again.
const QUIET: Duration = Duration::from_secs(2);

/// The segments as the policy sees them, with what had died in them by `horizon`. With `sound`, those that are known to
/// be damaged are left alone: trying again would read them in vain.
fn stats(shared: &Shared, core: &Core, horizon: Lsn, sound: bool) -> Vec<SegmentStats> {
    let tables = core.tables();
    let least = least_rows(&shared.options);
    let stat = |s: &Arc<Segment>| SegmentStats {
        id: s.record.id,
        rows: s.rows(),
        dead: s.deletions.dead_at(horizon) as u32,
        incomplete: derive::is_incomplete(&tables.schema, s),
        unpartitioned: partitions::is_due(&tables.schema, s, least),
    };
    let wanted = |s: &&Arc<Segment>| !sound || s.damage().is_none();
    tables.segments.iter().filter(wanted).map(stat).collect()
}

/// The segments with what a merge would leave behind: rows whose deaths are only in the log stay.
fn mergeable(shared: &Shared, core: &Core, sound: bool) -> Vec<SegmentStats> {
    let flushed = core.manifest.lock().flushed_lsn;
    stats(shared, core, flushed, sound)
}

/// True when a job is due, or will be once rows stop coming in, whether or not the settings keep the background from it.
pub(crate) fn is_due(shared: &Shared, core: &Core) -> bool {
    let config = core.tables().merging();
    policy::next_job(&stats(shared, core, Lsn::MAX, true), &config, false).is_some()
}

fn run(
    shared: &Shared,
    core: &Core,
    job: &Job,
    pool: &rayon::ThreadPool,
    control: &Control<'_>,
) -> Result<()> {
    shared.check_open()?;
    match job {
        Job::Merge(ids) => shared
            .counters
            .merges
            .count(|| merge::merge(shared, core, ids, pool, control)),
        Job::Derive(id) => shared
            .counters
            .derivations
            .count(|| derive::derive(shared, core, *id, derive::What::Everything, pool, control)),
        Job::Partition(id) => shared
            .counters
            .derivations
            .count(|| partitions::derive(shared, core, *id, pool, control)),
    }
}

/// Does the most useful job of a collection, if there is any, graphs on `pool`. True when one was done.
pub(crate) fn background_step(shared: &Shared, core: &Core, pool: &rayon::ThreadPool) -> Result<bool> {
    let busy = core.has_flushed(2, QUIET);
    // A caller who optimizes in the foreground does this work already.
    let Some(turn) = core.optimizing.try_lock() else {
        return Ok(false);
    };
    let config = core.tables().merging();
    if config.is_idle() {
        return Ok(false);
    }
    let settings = core.settings.load(Ordering::Acquire);
    let Some(job) = policy::next_job(&mergeable(shared, core, true), &config, busy) else {
        let after_a_flush = policy::next_job(&stats(shared, core, Lsn::MAX, true), &config, busy);
        if !matches!(after_a_flush, Some(Job::Merge(_))) {
            return Ok(false);
        }
        // Deletions make a merge worth while, once they are in segments and not only in the log.
        drop(turn);
        flush::flush_all(shared, core)?;
        return Ok(true);
    };
    let cancelled = || {
        shared.stopping.load(Ordering::Acquire)
            || core.dropped.load(Ordering::Acquire)
            || core.foreground.load(Ordering::Acquire) > 0
            // What is being built may be of no use any more.
            || core.settings.load(Ordering::Acquire) != settings
    };
    let progress = |done: u64, total: u64| core.activity.set_progress(done, total);
    core.activity.start(match &job {
        Job::Merge(_) => "merging segments",
        Job::Derive(_) => "building indexes",
        Job::Partition(_) => "building graphs of payload values",
    });
    let outcome = run(shared, core, &job, pool, &Control::new(&cancelled, &progress));
    core.activity.finish(outcome.is_ok());
    match outcome {
        Err(Error::Cancelled) => Ok(false),
        other => other.map(|()| true),
    }
}

/// Everything at once, for a caller who waits.
pub(crate) fn optimize(shared: &Shared, core: &Core, control: &Control<'_>) -> Result<()> {
    shared.check_writable()?;
    // Tells a job in the background to make way.
    core.foreground.fetch_add(1, Ordering::AcqRel);
    let outcome = (|| {
        flush::flush_all(shared, core)?;
        let _turn = core.optimizing.lock();
        let config = core.tables().merging();
        for ids in policy::full_merges(&mergeable(shared, core, false), &config) {
            run(shared, core, &Job::Merge(ids), &shared.pool, control)?;
        }
        for segment in mergeable(shared, core, false)
            .into_iter()
            .filter(|s| s.incomplete)
        {
            run(shared, core, &Job::Derive(segment.id), &shared.pool, control)?;
        }
        let tables = core.tables();
        for _ in 0..partitions::most_jobs(&tables.schema) * tables.segments.len() {
            let lacking = mergeable(shared, core, false)
                .into_iter()
                .find(|s| s.unpartitioned);
            let Some(segment) = lacking else { break };
            run(shared, core, &Job::Partition(segment.id), &shared.pool, control)?;
        }
        core.activity.make_up();
        Ok(())
    })();
    core.foreground.fetch_sub(1, Ordering::AcqRel);
    shared.optimizer.wake();
    outcome
}
