//! A part of an ingest: so many rows, written, flushed and timed.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use vdb::{Collection, Database, Durability, Error, Operation, Point, UpsertMode};

use crate::failure::{Failure, Outcome};
use crate::interrupt;

/// How rows are handed in.
#[derive(Clone, Copy)]
pub(super) struct Setting {
    /// Rows of a write.
    pub(super) batch: usize,
    pub(super) writers: usize,
}

/// Bytes and rows written, and in what time.
#[derive(Default)]
pub(super) struct Sum {
    pub(super) rows: u64,
    pub(super) bytes: u64,
    pub(super) time: Duration,
}

impl Sum {
    pub(super) fn bytes_per_s(&self) -> f64 {
        self.bytes as f64 / self.time.as_secs_f64().max(1e-9)
    }

    pub(super) fn rows_per_s(&self) -> f64 {
        self.rows as f64 / self.time.as_secs_f64().max(1e-9)
    }

    pub(super) fn add(&mut self, other: &Sum) {
        self.rows += other.rows;
        self.bytes += other.bytes;
        self.time += other.time;
    }
}

/// What the engine writes in one go.
pub(super) struct Slice<'a> {
    pub(super) setting: Setting,
    pub(super) vectors: &'a [Vec<f32>],
    pub(super) durability: Durability,
    /// The first id.
    pub(super) first: u64,
    pub(super) rows: u64,
    pub(super) limit: Duration,
}

impl Slice<'_> {
    /// Writes and flushes; the rows, the bytes that its files grew by, and the time of both. The points are made before
    /// the clock starts, as the content of the plain writes is.
    pub(super) fn run(&self, db: &Database, collection: &Collection) -> Outcome<Sum> {
        let segments_before = collection.info()?.disk_bytes;
        let logged_before = db.info().log_appended_bytes;
        let batch = self.setting.batch as u64;
        let make = |from: u64| (from..from + batch).map(|row| self.point(row)).collect();
        let batches = (0..self.rows).step_by(self.setting.batch).map(make).collect();
        let started = Instant::now();
        let rows = self.write(collection, batches, started)?;
        collection.flush()?;
        db.sync()?;
        let time = started.elapsed();
        let log = db.info().log_appended_bytes - logged_before;
        let segments = collection.info()?.disk_bytes.saturating_sub(segments_before);
        Ok(Sum {
            rows,
            bytes: log + segments,
            time,
        })
    }

    /// Writes the batches, or as many as the time allows; how many rows.
    fn write(&self, collection: &Collection, batches: Vec<Vec<Point>>, started: Instant) -> Outcome<u64> {
        let batches = Mutex::new(batches.into_iter());
        let next = || batches.lock().unwrap_or_else(PoisonError::into_inner).next();
        let writer = || -> Result<u64, Error> {
            let mut rows = 0;
            while !interrupt::asked_to_stop()
                && started.elapsed() <= self.limit
                && let Some(batch) = next()
            {
                let len = batch.len() as u64;
                let write = Operation::Upsert {
                    points: batch,
                    mode: UpsertMode::Upsert,
                    update_filter: None,
                };
                collection.submit(write, self.durability)?.wait_visible()?;
                rows += len;
            }
            Ok(rows)
        };
        std::thread::scope(|scope| {
            let writers: Vec<_> = (0..self.setting.writers).map(|_| scope.spawn(writer)).collect();
            writers
                .into_iter()
                .try_fold(0, |sum, thread| match thread.join() {
                    Ok(outcome) => outcome.map(|rows| sum + rows).map_err(Failure::from),
                    Err(_) => Err(Failure::failed("a writer ended unexpectedly")),
                })
        })
    }

    fn point(&self, row: u64) -> Point {
        let id = self.first + row;
        let at = (id % self.vectors.len().max(1) as u64) as usize;
        Point::new(id, self.vectors.get(at).cloned().unwrap_or_default())
    }
}
