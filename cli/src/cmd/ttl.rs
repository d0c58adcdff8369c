//! `vdb ttl`: points that end by themselves.

use serde_json::json;
use vdb::{Control, Ttl};

use crate::args::InCollection;
use crate::failure::Outcome;
use crate::out::Out;
use crate::table;

const AFTER: &str = "\
A point ends when the time in the field is past: a date such as \"2024-05-01T12:00:00Z\", or a number of seconds since 1970. Points \
without one stay. Programs that have the database open delete what has ended every minute or so; --sweep does it now. An index on \
the field makes that cheap.

With --json the answer is {\"field\": FIELD or null}, with --sweep {\"field\", \"deleted\": N}.

Examples:
  vdb ttl my.db sessions                 which field is it?
  vdb ttl my.db sessions until
  vdb ttl my.db sessions --sweep
  vdb ttl my.db sessions --off";

/// Say by which field points end, or delete those that have ended
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    #[command(flatten)]
    place: InCollection,

    /// Payload field of the time, as a path
    field: Option<String>,

    /// No point ends by itself any more
    #[arg(long, conflicts_with_all = ["field", "sweep"])]
    off: bool,

    /// Delete what has ended
    #[arg(long)]
    sweep: bool,
}

pub(crate) fn run(args: &Args, out: &mut Out) -> Outcome {
    let writes = args.field.is_some() || args.off || args.sweep;
    let (db, collection) = if writes {
        args.place.open()?
    } else {
        args.place.read()?
    };
    if args.off {
        collection.set_ttl(None)?;
    } else if let Some(field) = &args.field {
        collection.set_ttl(Some(Ttl::new(field)))?;
    }
    let deleted = args
        .sweep
        .then(|| collection.sweep(&Control::none()))
        .transpose()?;
    let field = collection.config().ttl.map(|ttl| ttl.field);
    drop(collection);
    db.close()?;
    let mut answer = json!({ "field": field });
    if let Some(deleted) = deleted {
        answer["deleted"] = json!(deleted);
    }
    out.answer(&answer, || match (deleted, &field) {
        (Some(count), _) => format!("deleted {}", table::counted(count, "point")),
        (None, Some(field)) => format!("points end by {}", table::plain(field)),
        (None, None) => "no point ends by itself".to_owned(),
    })
}
