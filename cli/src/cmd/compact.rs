//! `vdb compact`: fewer segments, no deleted rows.

use serde_json::json;
use vdb::CollectionInfo;

use super::optimize::optimize;
use crate::args::InCollection;
use crate::failure::Outcome;
use crate::out::Out;
use crate::table;

const AFTER: &str = "\
Every segment is merged into as few as allowed, deleted rows are dropped, and missing graphs are built. Readers go \
on meanwhile; the old files go when the new ones are in place, so that both need room for a while. Interrupted \
(Ctrl-C), what was finished stays.

With --json the answer is {\"before\": S, \"after\": S, \"seconds\": X}, where S is {\"segments\", \"dead_rows\", \
\"disk_bytes\"}.

Example:
  vdb compact my.db words";

/// Merge segments and give back the room of deleted points
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    #[command(flatten)]
    place: InCollection,
}

pub(crate) fn run(args: &Args, out: &mut Out) -> Outcome {
    let (db, collection) = args.place.open()?;
    collection.flush()?;
    let before = collection.info()?;
    let seconds = optimize(&collection, out)
        .map_err(|failure| {
            failure.and("nothing is lost: what was finished stays, and `vdb compact` goes on from there")
        })?
        .as_secs_f64();
    let after = collection.info()?;
    drop(collection);
    db.close()?;
    let side = |info: &CollectionInfo| {
        let dead: u64 = info
            .segments
            .iter()
            .map(|segment| u64::from(segment.dead_rows))
            .sum();
        json!({"segments": info.segments.len(), "dead_rows": dead, "disk_bytes": info.disk_bytes})
    };
    out.answer(
        &json!({"before": side(&before), "after": side(&after), "seconds": seconds}),
        || {
            format!(
                "{} of {} became {} of {} in {seconds:.2} s",
                table::counted(before.segments.len() as u64, "segment"),
                table::bytes(before.disk_bytes),
                after.segments.len(),
                table::bytes(after.disk_bytes),
            )
        },
    )
}
