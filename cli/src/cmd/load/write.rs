//! Batches into the collection, while the next ones are read.

use std::sync::mpsc::sync_channel;

use vdb::{Collection, Error};
use vdb_interop::RowError;

use super::Args;
use super::read::{self, Batch, Message};
use super::source::Source;
use crate::failure::{Failure, Outcome};
use crate::out::Out;
use crate::progress::{self, Unit};
use crate::table;

/// Batches that wait for the writer. Memory holds one more on either side.
const WAITING: usize = 2;
/// So many bad rows are told one by one; the others are only counted.
const TOLD: u64 = 10;

/// What a load came to.
#[derive(Default)]
pub(super) struct Loaded {
    pub(super) rows: u64,
    pub(super) skipped: u64,
}

/// Loads everything that is left in the source. `early` are bad rows that were met before.
pub(super) fn write(
    collection: &Collection,
    source: Source,
    args: &Args,
    early: Vec<RowError>,
    out: &Out,
) -> Outcome<Loaded> {
    let mut loaded = Loaded::default();
    let (_, total) = source.bytes();
    let bar = progress::bar(out, "loading", total, Unit::Bytes);
    let skip = |why: String, loaded: &mut Loaded| {
        loaded.skipped += 1;
        if loaded.skipped <= TOLD {
            bar.suspend(|| out.warn(format_args!("skipped {why}")));
        } else if loaded.skipped == TOLD + 1 {
            bar.suspend(|| out.warn("more bad rows are skipped and counted"));
        }
    };
    for error in early {
        skip(error.to_string(), &mut loaded);
    }
    let config = collection.config();
    let outcome = std::thread::scope(|scope| {
        let (sender, receiver) = sync_channel(WAITING);
        let config = &config;
        scope.spawn(move || {
            read::read(source, config, args.batch, args.skip_bad, |message| {
                sender.send(message).is_ok()
            });
        });
        // Leaving this loop drops the receiver, which ends the reader.
        for message in receiver {
            match message {
                Message::Batch(Batch {
                    points,
                    range,
                    bytes_read,
                    ..
                }) => {
                    let rows = points.len() as u64;
                    match collection.upsert(points) {
                        Ok(_) => {
                            loaded.rows += rows;
                            bar.set_position(bytes_read);
                        }
                        Err(error) => {
                            let place = match range {
                                Some((first, last)) if first != last => format!("{first} to {last}"),
                                Some((only, _)) => only.to_string(),
                                None => "the batch".to_owned(),
                            };
                            let why = format!("{place}: {error}");
                            if args.skip_bad && rows == 1 && is_about_the_row(&error) {
                                skip(why, &mut loaded);
                            } else {
                                return Err(stopped(&why, args, &loaded, false));
                            }
                        }
                    }
                }
                Message::Skipped(why) => skip(why, &mut loaded),
                Message::Stop { why, skippable } => return Err(stopped(&why, args, &loaded, skippable)),
            }
        }
        Ok(())
    });
    bar.finish_and_clear();
    outcome.map(|()| loaded)
}

/// The message of a load that ends early: what is in the collection now, and what can be done.
fn stopped(why: &str, args: &Args, loaded: &Loaded, skippable: bool) -> Failure {
    let mut message = format!(
        "{why}\n  {} rows before it are in {}; nothing of its own batch was written",
        table::count(loaded.rows),
        args.collection
    );
    if skippable {
        message.push_str("\n  repair the row and load again, or leave bad rows out with --skip-bad");
    }
    Failure::failed(message)
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
