//! `vdb count`: how many points there are, or match.

use serde_json::json;

use crate::args::{Filtering, InCollection, Patience};
use crate::failure::Outcome;
use crate::out::Out;

const AFTER: &str = "\
With --json the answer is {\"count\": N}.

Examples:
  vdb count my.db words
  vdb count my.db words --filter '{\"must_not\": [{\"key\": \"pos\", \"match\": {\"value\": \"noun\"}}]}' --json";

/// Count points
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    #[command(flatten)]
    place: InCollection,

    #[command(flatten)]
    filtering: Filtering,

    #[command(flatten)]
    patience: Patience,
}

pub(crate) fn run(args: &Args, out: &mut Out) -> Outcome {
    let (_db, collection) = args.place.read()?;
    let count = collection.count_with(args.filtering.filter.as_ref(), &args.patience.control())?;
    out.answer(&json!({ "count": count }), || count.to_string())
}
