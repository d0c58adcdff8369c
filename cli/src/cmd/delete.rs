//! `vdb delete`: points by id or by filter.

use serde_json::json;
use vdb::{Collection, Condition, Control, Expected, Filter, Operation, PointId, Select, Target, WriteBatch};

use crate::args::{Filtering, InCollection, id};
use crate::failure::{Failure, Outcome};
use crate::out::Out;
use crate::table;

const AFTER: &str = "\
Ids that do not exist are fine, unless --if-version is given: then the exit code is 1 and nothing is deleted. With --json the answer is {\"deleted\": N}, with --dry-run {\"would_delete\": N}.

Examples:
  vdb delete my.db words 127 128
  vdb delete my.db words --filter '{\"must\": [{\"key\": \"pos\", \"match\": {\"value\": \"adv\"}}]}'
  vdb delete my.db words 127 --if-version 12
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

    /// Delete the one point only if its version is still this, as `vdb get --json` shows it
    #[arg(long, value_name = "N", conflicts_with = "filter")]
    if_version: Option<u64>,

    /// Only count what would be deleted
    #[arg(long)]
    dry_run: bool,
}

pub(crate) fn run(args: Args, out: &mut Out) -> Outcome {
    if args.if_version.is_some() && args.ids.len() != 1 {
        return Err(Failure::usage("--if-version is for one point: give one id"));
    }
    let (db, collection) = if args.dry_run {
        args.place.read()?
    } else {
        args.place.open()?
    };
    let filter = args.filtering.filter;
    // Nobody else writes while this process has the database open: the count is that of the deletion.
    let by_id = || Filter::must([Condition::has_id(args.ids.iter().copied())]);
    let count = collection.count(Some(&filter.clone().unwrap_or_else(by_id)))?;
    if let (Some(version), [id]) = (args.if_version, args.ids.as_slice()) {
        // One that only reads may not try a batch.
        if args.dry_run {
            expect(&collection, *id, version)?;
        } else {
            let name = collection.name();
            let batch = WriteBatch::new().require_version(name, *id, version);
            db.write(batch.delete(name, vec![*id]))?;
        }
    } else if !args.dry_run {
        let target = filter.map_or_else(|| Target::from(args.ids), Target::from);
        collection.apply_in_steps(Operation::Delete { target }, &Control::none())?;
    }
    drop(collection);
    db.close()?;
    let key = if args.dry_run { "would_delete" } else { "deleted" };
    out.answer(&json!({ key: count }), || {
        let verb = if args.dry_run { "would delete" } else { "deleted" };
        format!("{verb} {}", table::counted(count, "point"))
    })
}

/// Fails unless the point has this version, as a conditional write would.
fn expect(collection: &Collection, id: PointId, version: u64) -> Outcome {
    let records = collection.get(&[id], &Select::default())?;
    let found = records.first().map(|record| record.version);
    if found == Some(version) {
        return Ok(());
    }
    let expected = Expected::Version(version);
    Err(vdb::Error::Conflict { id, expected, found }.into())
}
