//! What a write that waits for the disk costs: the same rows written to several systems, and to ours with each level of
//! durability, in turns.
//!
//! ```text
//! rows -> Store::batch (not timed) -> hand_in: 1 or 16 threads, each waiting for its acknowledgement -> IngestLine
//! ```
//!
//! Nobody merges, indexes or flushes on request meanwhile: what is timed is the way to the acknowledgement alone.

use std::path::Path;
use std::time::{Duration, Instant};

use vdb::{Collection, CollectionConfig, Database, Durability, Operation, Point, UpsertMode, VectorParams};
use vdb_measure::{IngestLine, Load, Written, hand_in};

use crate::dataset::Dataset;
use crate::error::{Error, Result};

/// Rows of a write.
const BATCHES: [usize; 3] = [1, 100, 1000];
/// Threads that write at the same time.
const WRITERS: [usize; 2] = [1, 16];
/// One by one so many times fewer rows are written: each costs as much as a batch where the disk is waited for.
const FEWER: usize = 10;

/// A database that rows are written to.
pub trait Store: Sync {
    /// Rows as the system takes them.
    type Batch: Send;

    /// Makes rows ready, whose ids are their numbers from `first` on; not timed.
    fn batch(&self, first: usize, vectors: &[&[f32]]) -> Result<Self::Batch>;

    /// Writes them, and returns when they are acknowledged; timed.
    fn write(&self, batch: Self::Batch) -> Result<()>;
}

/// How much is written, and how often.
#[derive(Clone, Copy, Debug)]
pub struct IngestPlan {
    /// Rows of each measurement, the first of the data; a tenth as many where they are written one by one.
    pub rows: usize,
    /// So often everything is written anew; the fastest time counts.
    pub rounds: usize,
    /// No round takes longer: what was written until then counts.
    pub limit: Duration,
}

impl Default for IngestPlan {
    fn default() -> Self {
        IngestPlan {
            rows: 20_000,
            rounds: 3,
            limit: Duration::from_secs(10),
        }
    }
}

impl IngestPlan {
    fn rows_of(&self, load: Load, set: &Dataset) -> usize {
        let rows = self.rows.min(set.len());
        if load.batch == 1 {
            rows.div_ceil(FEWER)
        } else {
            rows
        }
    }
}

/// Writes the first so many rows into a new store at a path, in a time at most.
type Round<'a> = Box<dyn Fn(&Path, usize, Load, Duration) -> Result<Written> + 'a>;

/// A system, and when it acknowledges.
pub struct Writer<'a> {
    known: IngestLine,
    round: Round<'a>,
}

impl<'a> Writer<'a> {
    /// A system whose stores `make` makes, at a path where nothing is. `synced` says whether its acknowledgement means
    /// that a power cut takes nothing; `durability` says it in the system's words.
    pub fn new<S: Store>(
        set: &'a Dataset,
        system: &str,
        durability: &str,
        synced: bool,
        make: impl Fn(&Path) -> Result<S> + 'a,
    ) -> Self {
        let round = move |home: &Path, rows: usize, load: Load, limit: Duration| {
            let store = make(home)?;
            let batches = (0..rows).step_by(load.batch).map(|first| {
                let end = rows.min(first + load.batch);
                let vectors: Vec<&[f32]> = (first..end).map(|row| set.vector(row)).collect();
                store.batch(first, &vectors)
            });
            let batches = batches.collect::<Result<Vec<_>>>()?;
            let started = Instant::now();
            hand_in(
                batches,
                load.writers,
                || started.elapsed() < limit,
                |batch| store.write(batch),
            )
        };
        Writer {
            known: IngestLine {
                system: system.to_owned(),
                durability: durability.to_owned(),
                synced,
                dim: set.dim,
                data: Some(set.name.clone()),
                ..IngestLine::default()
            },
            round: Box::new(round),
        }
    }
}

/// Writes with every batch size and number of threads to all in turns, a round of each over and over; tells what each came
/// to. In a directory of their own below `dir`, which is to lie on the disk that is measured; everything is removed.
///
/// # Errors
/// What a store refuses, or the disk.
pub fn ingest(
    set: &Dataset,
    dir: &Path,
    writers: &[Writer<'_>],
    plan: &IngestPlan,
    tell: &mut dyn FnMut(IngestLine) -> Result<()>,
) -> Result<()> {
    let scratch = tempfile::Builder::new().prefix("ingest-").tempdir_in(dir);
    let scratch = scratch.map_err(Error::file(dir))?;
    let home = scratch.path().join("store");
    for batch in BATCHES {
        for count in WRITERS {
            let load = Load {
                batch,
                writers: count,
            };
            let rows = plan.rows_of(load, set);
            let mut best: Vec<Option<IngestLine>> = writers.iter().map(|_| None).collect();
            for _ in 0..plan.rounds {
                for (writer, best) in writers.iter().zip(&mut best) {
                    let written = (writer.round)(&home, rows, load, plan.limit)?;
                    remove(&home)?;
                    let line = writer.known.clone().written(load, rows, &written);
                    if best
                        .as_ref()
                        .is_none_or(|best| line.vectors_per_s > best.vectors_per_s)
                    {
                        *best = Some(line);
                    }
                }
            }
            best.into_iter().flatten().try_for_each(&mut *tell)?;
        }
    }
    Ok(())
}

/// Removes what a store left, if it left anything.
fn remove(home: &Path) -> Result<()> {
    match std::fs::remove_dir_all(home) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Error::file(home)(e)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Ours with each level of durability, the default first.
pub fn our_writers(set: &Dataset) -> Vec<Writer<'_>> {
    let levels = [
        (Durability::Sync, "sync"),
        (Durability::Buffered, "buffered"),
        (Durability::None, "none"),
    ];
    let writer = |(level, name)| {
        let synced = level == Durability::Sync;
        Writer::new(set, "vdb", name, synced, move |home| {
            OurStore::make(home, set, level)
        })
    };
    levels.into_iter().map(writer).collect()
}

/// Our database, written to with one level of durability.
struct OurStore {
    collection: Collection,
    durability: Durability,
    // Behind the collection: a handle goes before what it is a handle of.
    _db: Database,
}

impl OurStore {
    fn make(home: &Path, set: &Dataset, durability: Durability) -> Result<OurStore> {
        let db = Database::builder().background(false).open(home)?;
        let params = VectorParams::new(set.dim, set.distance);
        let collection = db.create_collection("bench", CollectionConfig::new(params))?;
        Ok(OurStore {
            collection,
            durability,
            _db: db,
        })
    }
}

impl Store for OurStore {
    type Batch = Operation;

    fn batch(&self, first: usize, vectors: &[&[f32]]) -> Result<Operation> {
        let points = (first as u64..)
            .zip(vectors)
            .map(|(id, vector)| Point::new(id, *vector));
        Ok(Operation::Upsert {
            points: points.collect(),
            mode: UpsertMode::Upsert,
            update_filter: None,
        })
    }

    fn write(&self, batch: Operation) -> Result<()> {
        Ok(self.collection.submit(batch, self.durability)?.wait_visible()?)
    }
}

#[cfg(test)]
mod tests;
