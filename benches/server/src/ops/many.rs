//! Many small collections: how long until a server with them is ready, and what each takes.

use std::path::Path;
use std::time::Instant;

use serde::Serialize;
use vdb_benches::{Error, Result};
use vdb_measure::{Memory, rounded};

use super::speaker::{Speaker, Transport};
use crate::own::{Held, Launch, Own, disk_bytes};

/// How many of what.
#[derive(Clone, Copy, Debug)]
pub struct Many {
    /// Collections.
    pub collections: u64,
    /// Points of each.
    pub points: u64,
    /// Numbers in a vector.
    pub dim: usize,
    /// The server is killed rather than stopped before it is started again.
    pub killed: bool,
}

/// What it came to. A collection's share is what is there with all of them, less what is there without any.
#[derive(Clone, Debug, Serialize)]
pub struct ManyLine {
    /// Collections.
    pub collections: u64,
    /// Points of each.
    pub points: u64,
    /// Numbers in a vector.
    pub dim: usize,
    /// Seconds for making and filling all of them, by one client.
    pub fill_s: f64,
    /// Milliseconds from starting an empty server until it is ready.
    pub empty_ready_ms: f64,
    /// The same with all collections.
    pub ready_ms: f64,
    /// Milliseconds from the start until each has answered a search.
    pub all_searched_ms: f64,
    /// Megabytes resident in an empty server.
    pub empty_rss_mb: f64,
    /// Kilobytes resident a collection, once each has answered.
    pub rss_kib_each: f64,
    /// Kilobytes resident a collection in the process that made them.
    pub filled_rss_kib_each: f64,
    /// Kilobytes on the disk a collection, the log included.
    pub disk_kib_each: f64,
    /// Threads of the server.
    pub threads: usize,
    /// Its open files.
    pub files: usize,
    /// Its mappings.
    pub mappings: usize,
}

fn name(number: u64) -> String {
    format!("small-{number}")
}

fn resident(own: &Own) -> f64 {
    Memory::of(own.pid()).map_or(f64::NAN, |memory| memory.total as f64)
}

fn ms(since: Instant) -> f64 {
    rounded(since.elapsed().as_secs_f64() * 1e3, 1)
}

/// Makes the collections in an empty directory, starts the server again, and asks each of them.
pub fn many(launch: Launch<'_>, dir: &Path, plan: &Many) -> Result<ManyLine> {
    let empty = Own::start(launch, dir)?;
    let empty_ready_ms = rounded(empty.age().as_secs_f64() * 1e3, 1);
    let (empty_rss, empty_disk) = (resident(&empty), disk_bytes(dir) as f64);
    let own = empty;
    let started = Instant::now();
    for number in 0..plan.collections {
        let speaker = speaker(&own, number, plan.dim)?;
        speaker.create()?;
        let points: Vec<(u64, u64)> = (0..plan.points).map(|id| (id, number + id)).collect();
        speaker.upsert(&points)?;
    }
    let fill_s = rounded(started.elapsed().as_secs_f64(), 2);
    let filled_rss = resident(&own);
    if plan.killed {
        own.kill()?
    } else {
        own.stop()?
    }
    let disk = disk_bytes(dir) as f64;

    let started = Instant::now();
    let own = Own::start(launch, dir)?;
    let ready_ms = ms(started);
    for number in 0..plan.collections {
        let found = speaker(&own, number, plan.dim)?.search(number, plan.points.max(1))?;
        if found as u64 != plan.points {
            let what = format!("{}: {found} of {} points", name(number), plan.points);
            return Err(Error::Program(what));
        }
    }
    let all_searched_ms = ms(started);
    let each =
        |with: f64, without: f64| rounded((with - without) / 1024.0 / plan.collections.max(1) as f64, 2);
    let held = Held::by(own.pid());
    let line = ManyLine {
        collections: plan.collections,
        points: plan.points,
        dim: plan.dim,
        fill_s,
        empty_ready_ms,
        ready_ms,
        all_searched_ms,
        empty_rss_mb: rounded(empty_rss / 1e6, 1),
        rss_kib_each: each(resident(&own), empty_rss),
        filled_rss_kib_each: each(filled_rss, empty_rss),
        disk_kib_each: each(disk, empty_disk),
        threads: held.threads,
        files: held.files,
        mappings: held.mappings,
    };
    own.stop()?;
    Ok(line)
}

fn speaker(own: &Own, number: u64, dim: usize) -> Result<Speaker> {
    Speaker::new(Transport::Rest, &own.rest(), &own.grpc(), &name(number), dim)
}
