//! `vdb bench`: how fast is it here?
//!
//! | file | what |
//! |---|---|
//! | `search.rs`, `search/` | recall and speed of searches: at several beams, from several threads, with a part of the files in memory |
//! | `origin.rs` | what a database that is kept was built from |
//! | `ingest.rs` | durable writes beside raw ones |
//! | `slice.rs` | so many rows, written, flushed and timed |
//! | `raw.rs` | plain writes, each synced |
//!
//! Splits, times and memory come from `vdb-measure`.

mod ingest;
mod origin;
mod raw;
mod search;
mod slice;

use clap::Subcommand;

use crate::failure::Outcome;
use crate::out::Out;

const AFTER: &str = "\
Numbers of a machine that does other work meanwhile mean little. Build with --release.

Examples:
  vdb bench search --data vectors.npy --json
  vdb bench ingest --dim 384 --json";

/// Measure searches or writes on this machine
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Search(search::Args),
    Ingest(ingest::Args),
}

pub(crate) fn run(args: Args, out: &mut Out) -> Outcome {
    match args.what {
        What::Search(args) => search::run(&args, out),
        What::Ingest(args) => ingest::run(&args, out),
    }
}
