//! `vdb get`: points by id.

use vdb::PointId;

use crate::args::{InCollection, Selection, id};
use crate::failure::{Failure, Outcome};
use crate::out::Out;
use crate::points::PointsJson;
use crate::table;

const AFTER: &str = "\
The exit code is 1 when one of the ids does not exist; the others are printed all the same.

With --json the answer is {\"points\": [{\"id\": .., \"version\": N, \"payload\": ..}]}, with \"vector\" by \
--with-vectors.

Examples:
  vdb get my.db words 127
  vdb get my.db words 127 128 550e8400-e29b-41d4-a716-446655440000 --with-vectors --json";

/// Print points by id
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    #[command(flatten)]
    place: InCollection,

    /// Numbers or UUIDs
    #[arg(required = true, value_name = "ID", allow_negative_numbers = true, value_parser = id)]
    ids: Vec<PointId>,

    #[command(flatten)]
    selection: Selection,
}

pub(crate) fn run(args: &Args, out: &mut Out) -> Outcome {
    let (_db, collection) = args.place.read()?;
    let records = collection.get(&args.ids, &args.selection.select())?;
    out.answer(&PointsJson::of(&records), || table::points(&records))?;
    let mut missing = args
        .ids
        .iter()
        .filter(|id| !records.iter().any(|record| record.id == **id))
        .peekable();
    if missing.peek().is_none() {
        return Ok(());
    }
    let list: Vec<String> = missing.map(PointId::to_string).collect();
    out.warn(format_args!("no point with id {}", list.join(", ")));
    Err(Failure::Reported)
}
