//! Batches into the collection, while the next ones are read.

use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use indicatif::ProgressBar;
use vdb::{Database, Error};
use vdb_interop::RowError;

use super::Args;
use super::read::{self, Batch, Message};
use super::source::Source;
use super::target::Target;
use crate::failure::{Failure, Outcome};
use crate::out::Out;
use crate::progress::{self, Unit};
use crate::{interrupt, table};

/// Batches that wait for the writer. Memory holds one more on either side.
const WAITING: usize = 2;
/// So many bad rows are told one by one; the others are only counted.
const TOLD: u64 = 10;

/// How often to look for a signal while nothing comes.
const LOOK: Duration = Duration::from_millis(50);

/// What a load came to.
#[derive(Default)]
pub(super) struct Loaded {
    pub(super) rows: u64,
    pub(super) skipped: u64,
    /// Values that payloads do not hold and that were changed to the nearest.
    pub(super) changed: u64,
}

/// Loads everything that is left in the source, and makes it durable. `early` are bad rows that were met before.
pub(super) fn write(
    db: &Database,
    target: &mut Target,
    source: Source,
    args: &Args,
    early: Vec<RowError>,
    out: &Out,
) -> Outcome<Loaded> {
    let (_, total) = source.bytes();
    let mut writer = Writer {
        db,
        target,
        args,
        out,
        bar: progress::bar(out, "loading", total, Unit::Bytes),
        loaded: Loaded::default(),
        numbered: source.is_numbered(),
    };
    for error in early {
        writer.skip(&error.to_string());
    }
    let outcome = writer.run(source).and_then(|()| Ok(db.sync()?));
    writer.bar.finish_and_clear();
    if outcome.is_err() && writer.loaded.rows == 0 {
        writer.target.undo(db);
    }
    outcome.map(|()| writer.loaded)
}

struct Writer<'a> {
    db: &'a Database,
    target: &'a mut Target,
    args: &'a Args,
    out: &'a Out,
    bar: ProgressBar,
    loaded: Loaded,
    /// Rows have their numbers as ids.
    numbered: bool,
}

impl Writer<'_> {
    fn run(&mut self, source: Source) -> Outcome {
        let args = self.args;
        let rules = self.target.rules(args)?;
        let (sender, receiver) = sync_channel(WAITING);
        // Nobody waits for the end of this thread: after a signal it may stand in a pipe that nothing comes out of.
        std::thread::spawn(move || {
            read::read(source, &rules, |message| sender.send(message).is_ok());
        });
        // Leaving this loop drops the receiver, which ends the reader.
        loop {
            if interrupt::asked_to_stop() {
                return Err(self.interrupted());
            }
            match receiver.recv_timeout(LOOK) {
                Ok(Message::Batch(batch)) => self.put(batch)?,
                Ok(Message::Skipped(why)) => self.skip(&why),
                Ok(Message::Stop { why, skippable }) => return Err(self.stopped(&why, skippable)),
                Ok(Message::End { changed }) => {
                    self.loaded.changed = changed;
                    return Ok(());
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(self.stopped("the files were not read to their end", false));
                }
            }
        }
    }

    fn put(&mut self, batch: Batch) -> Outcome {
        let rows = batch.points.len() as u64;
        let (collection, _) = self.target.get(self.db)?;
        let Err(error) = collection.upsert(batch.points) else {
            self.loaded.rows += rows;
            self.bar.set_position(batch.bytes_read);
            return Ok(());
        };
        let place = match batch.range {
            Some((first, last)) if first != last => format!("{first} to {last}"),
            Some((only, _)) => only.to_string(),
            None => "the batch".to_owned(),
        };
        let why = format!("{place}: {error}");
        if rows == 1 && is_about_the_row(&error) {
            if !self.args.skip_bad {
                return Err(self.stopped(&why, true));
            }
            self.skip(&why);
            return Ok(());
        }
        Err(self.stopped(&why, false))
    }

    fn skip(&mut self, why: &str) {
        self.loaded.skipped += 1;
        if self.loaded.skipped <= TOLD {
            self.bar.suspend(|| self.out.warn(format_args!("skipped {why}")));
        } else if self.loaded.skipped == TOLD + 1 {
            self.bar
                .suspend(|| self.out.warn("more bad rows are skipped and counted"));
        }
    }

    /// What is in the collection of a load that ends early.
    fn state(&self) -> String {
        match self.loaded.rows {
            0 => format!("nothing was loaded into {}", self.args.collection),
            1 => format!("1 row before it is in {}", self.args.collection),
            rows => format!(
                "{} rows before it are in {}",
                table::count(rows),
                self.args.collection
            ),
        }
    }

    /// How to load the same rows once more, where their numbers would now be in the way.
    fn once_more(&self) -> String {
        if !self.numbered || self.loaded.rows == 0 {
            return String::new();
        }
        let first = self.args.reading.start_id.unwrap_or(0);
        format!(
            "\n  to load the same rows from the start again, say --start-id {first}: they replace those that are there"
        )
    }

    /// The message of a load that a row or the disk ends early: what is in the collection now, and what can be done.
    fn stopped(&self, why: &str, skippable: bool) -> Failure {
        let mut message = format!("{why}\n  {}; nothing of its own batch was written", self.state());
        if skippable {
            message.push_str("\n  repair the row and load again, or leave bad rows out with --skip-bad");
        }
        Failure::failed(message + &self.once_more())
    }

    fn interrupted(&self) -> Failure {
        let rows = self.loaded.rows;
        if rows == 0 {
            return Failure::Interrupted(format!(
                "interrupted: nothing was loaded into {}",
                self.args.collection
            ));
        }
        // Weaker levels of durability still have something to catch up with.
        let durable = match self.db.sync() {
            Ok(()) => "durable".to_owned(),
            Err(error) => format!("not known to be durable ({error})"),
        };
        Failure::Interrupted(format!(
            "interrupted: the first {} are in {} and {durable}; no index was built (`vdb index {} {}`){}",
            table::counted(rows, "row"),
            self.args.collection,
            self.args.db.display(),
            self.args.collection,
            self.once_more(),
        ))
    }
}

/// Whether the engine refused a row for what it is. A write touches no segment: of what storage can say, only that a
/// payload cannot be encoded remains.
fn is_about_the_row(error: &Error) -> bool {
    matches!(
        error,
        Error::Value(_)
            | Error::Storage(_)
            | Error::WrongDimension { .. }
            | Error::NotFinite { .. }
            | Error::OutOfRange { .. }
            | Error::Limit { .. }
    )
}
