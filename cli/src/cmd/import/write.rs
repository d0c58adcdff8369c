//! Points into a collection, batch by batch.

use indicatif::ProgressBar;
use vdb::{Collection, Database, Error, PayloadIndexParams, Point};

use super::Args;
use super::source::Checked;
use crate::failure::{Failure, Outcome};
use crate::out::{Out, quoted};
use crate::progress::{self, Unit};
use crate::{interrupt, table};

/// Points that are written together, at most, and numbers in their vectors.
const BATCH: usize = 1000;
const BATCH_NUMBERS: usize = 4 << 20;

/// Refuses a collection that is there and was not asked to be added to, or is another one.
pub(super) fn check_target(db: &Database, part: &Checked, args: &Args) -> Outcome {
    let name = &part.name;
    let there = match db.collection(name) {
        Ok(there) => there,
        Err(Error::CollectionNotFound { .. }) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    if !args.resume {
        return Err(Failure::failed(format!(
            "there is a collection {name:?} already, with {}; if it is left of an import that was interrupted, --resume \
             goes on with it, else give the new one another name: --rename {}",
            table::counted(there.count(None)?, "point"),
            quoted(&format!("{}=NAME", part.source))
        )));
    }
    let (asked, found) = (&part.described().config, there.config());
    if asked.vectors != found.vectors || asked.sparse_vectors != found.sparse_vectors {
        return Err(Failure::failed(format!(
            "the collection {name:?} has other vectors than the source: it is not left of this import; give the new one \
             another name: --rename {}",
            quoted(&format!("{}=NAME", part.source))
        )));
    }
    Ok(())
}

/// Writes all points of a collection, and makes it first if it is not there; true if so. A collection that is there keeps its settings.
pub(super) fn write(db: &Database, part: Checked, args: &Args, out: &Out) -> Outcome<bool> {
    let name = part.name.clone();
    let total = part.points();
    let described = part.described().clone();
    let (collection, created) = match db.collection(&name) {
        Ok(there) => (there, false),
        Err(Error::CollectionNotFound { .. }) => (db.create_collection(&name, described.config)?, true),
        Err(error) => return Err(error.into()),
    };
    let mut writer = Writer {
        db,
        args,
        collection: &collection,
        name: &name,
        total,
        written: 0,
        bar: progress::bar(out, "importing", Some(total), Unit::Rows),
    };
    // Indexes come before the points, so that graphs know them.
    let outcome = add_indexes(&collection, described.payload_indexes).and_then(|()| writer.run(part));
    writer.bar.finish_and_clear();
    if outcome.is_err() && created && writer.written == 0 {
        // Should it stay, it is empty, and what went wrong before is the better thing to tell.
        drop(collection);
        let _ = db.drop_collection(&name);
    }
    outcome.map(|()| created)
}

/// Makes the indexes that are not there.
fn add_indexes(collection: &Collection, indexes: Vec<(String, PayloadIndexParams)>) -> Outcome {
    let known = collection.payload_indexes();
    for (path, params) in indexes {
        if !known.iter().any(|(known, _)| *known == path) {
            collection.create_payload_index(&path, params)?;
        }
    }
    Ok(())
}

struct Writer<'a> {
    db: &'a Database,
    args: &'a Args,
    collection: &'a Collection,
    name: &'a str,
    total: u64,
    written: u64,
    bar: ProgressBar,
}

impl Writer<'_> {
    fn run(&mut self, part: Checked) -> Outcome {
        let mut batch: Vec<Point> = Vec::with_capacity(BATCH);
        let mut numbers = 0;
        for point in part.into_points()? {
            if interrupt::asked_to_stop() {
                return Err(self.interrupted());
            }
            let point = point.map_err(|error| self.failed(Failure::from(error)))?;
            numbers += numbers_of(&point);
            batch.push(point);
            if batch.len() >= BATCH || numbers >= BATCH_NUMBERS {
                self.put(std::mem::take(&mut batch))?;
                numbers = 0;
            }
        }
        self.put(batch)?;
        if self.written == self.total {
            return Ok(());
        }
        Err(self.failed(Failure::failed(format!(
            "{}: it has changed while it was read: it had {} when it was checked, and now has {}",
            self.args.source.display(),
            table::counted(self.total, "point"),
            table::count(self.written)
        ))))
    }

    fn put(&mut self, batch: Vec<Point>) -> Outcome {
        if batch.is_empty() {
            return Ok(());
        }
        let count = batch.len() as u64;
        self.collection
            .upsert(batch)
            .map_err(|error| self.failed(error.into()))?;
        self.written += count;
        self.bar.set_position(self.written);
        Ok(())
    }

    fn failed(&self, failure: Failure) -> Failure {
        failure.and(&format!(
            "{} of {} are in {}; once the cause is mended, the same command with --resume completes it",
            table::count(self.written),
            table::counted(self.total, "point"),
            self.name
        ))
    }

    fn interrupted(&self) -> Failure {
        if self.written == 0 {
            return Failure::Interrupted(format!("interrupted: nothing of {} was imported", self.name));
        }
        // Weaker levels of durability still have something to catch up with.
        let durable = match self.db.sync() {
            Ok(()) => "durable".to_owned(),
            Err(error) => format!("not known to be durable ({error})"),
        };
        Failure::Interrupted(format!(
            "interrupted: {} of {} are in {} and {durable}; the same command with --resume completes it (`vdb import {} {} \
             --resume ...`)",
            table::count(self.written),
            table::counted(self.total, "point"),
            self.name,
            self.args.source.display(),
            self.args.db.display(),
        ))
    }
}

fn numbers_of(point: &Point) -> usize {
    use vdb::Vector;
    let vectors = point.vectors.0.values();
    vectors
        .map(|vector| match vector {
            Vector::Dense(numbers) => numbers.len(),
            Vector::Sparse(sparse) => sparse.values.len() * 2,
            Vector::Multi(rows) => rows.iter().map(Vec::len).sum(),
        })
        .sum()
}
