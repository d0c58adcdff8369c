//! `vdb delete`: points by id or by filter.

use serde_json::json;
use vdb::{Condition, Filter, PointId, Target};

use crate::args::{Filtering, InCollection, id};
use crate::failure::Outcome;
use crate::out::Out;
use crate::table;

const AFTER: &str = "\
Ids that do not exist are fine. With --json the answer is {\"deleted\": N}, with --dry-run {\"would_delete\": N}.

Examples:
  vdb delete my.db words 127 128
  vdb delete my.db words --filter '{\"must\": [{\"key\": \"pos\", \"match\": {\"value\": \"adv\"}}]}'
  vdb delete my.db words --filter '{}' --dry-run";

/// Delete points by id or by filter
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
#[command(group = clap::ArgGroup::new("target").required(true).args(["ids", "filter"]))]
pub(crate) struct Args {
    #[command(flatten)]
    place: InCollection,

    /// Numbers or UUIDs
    #[arg(value_name = "ID", allow_negative_numbers = true, value_parser = id)]
    ids: Vec<PointId>,

    #[command(flatten)]
    filtering: Filtering,

    /// Only count what would be deleted
    #[arg(long)]
    dry_run: bool,
}

pub(crate) fn run(args: Args, out: &mut Out) -> Outcome {
    let (db, collection) = if args.dry_run {
        args.place.read()?
    } else {
        args.place.open()?
    };
    let filter = args.filtering.filter;
    // Nobody else writes while this process has the database open: the count is that of the deletion.
    let by_id = || Filter::must([Condition::has_id(args.ids.iter().copied())]);
    let count = collection.count(Some(&filter.clone().unwrap_or_else(by_id)))?;
    if !args.dry_run {
        collection.delete(filter.map_or_else(|| Target::from(args.ids), Target::from))?;
    }
    drop(collection);
    db.close()?;
    let key = if args.dry_run { "would_delete" } else { "deleted" };
    out.answer(&json!({ key: count }), || {
        let verb = if args.dry_run { "would delete" } else { "deleted" };
        format!("{verb} {}", table::counted(count, "point"))
    })
}
