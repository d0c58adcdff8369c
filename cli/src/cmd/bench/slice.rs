//! A part of an ingest: so many rows, written, flushed and timed.

use std::time::{Duration, Instant};

use vdb::{Collection, Database, Durability, Operation, Point, UpsertMode};
use vdb_measure::{Load, hand_in};

use crate::failure::Outcome;
use crate::interrupt;

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
    pub(super) load: Load,
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
        let batch = self.load.batch as u64;
        let make = |from: u64| (from..from + batch).map(|row| self.point(row)).collect();
        let batches = (0..self.rows).step_by(self.load.batch).map(make).collect();
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
        let go_on = || !interrupt::asked_to_stop() && started.elapsed() <= self.limit;
        let written = hand_in(batches, self.load.writers, go_on, |points| {
            let write = Operation::Upsert {
                points,
                mode: UpsertMode::Upsert,
                update_filter: None,
            };
            collection.submit(write, self.durability)?.wait_visible()
        })?;
        // All batches are whole.
        Ok((written.micros.len() * self.load.batch) as u64)
    }

    fn point(&self, row: u64) -> Point {
        let id = self.first + row;
        let at = (id % self.vectors.len().max(1) as u64) as usize;
        Point::new(id, self.vectors.get(at).cloned().unwrap_or_default())
    }
}
