//! The command line as a whole, and what several commands share of it.

use std::path::PathBuf;

use clap::{Args, Parser};
use vdb::{Filter, PayloadSelector, PointId, Select};

use crate::cmd::Command;
use crate::parse;

const AFTER: &str = "\
Exit codes:
  0  done
  1  failed; standard error says what was wrong, where, and what to do
  2  the command line is wrong

Answers go to standard output, remarks and progress to standard error. With --json answers are JSON, one value
a line. Progress bars appear only on a terminal.

Examples:
  vdb load my.db words vectors.npy --payload words.jsonl
  vdb query my.db words --match words=owl --limit 5
  vdb count my.db words --filter '{\"must\": [{\"key\": \"pos\", \"match\": {\"value\": \"verb\"}}]}'";

/// Load, query and look after vector databases, each a directory.
#[derive(Debug, Parser)]
#[command(name = "vdb", version, after_help = AFTER, propagate_version = true, max_term_width = 110)]
#[command(disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// Print answers as JSON for programs, one value a line
    #[arg(long, global = true, help_heading = "Global options")]
    pub(crate) json: bool,

    /// No progress bars and no remarks; errors and warnings are still told
    #[arg(long, short, global = true, help_heading = "Global options")]
    pub(crate) quiet: bool,
}

/// A collection of a database.
#[derive(Debug, Args)]
pub(crate) struct InCollection {
    /// Directory of the database
    #[arg(value_name = "DB")]
    pub(crate) db: PathBuf,

    /// Collection or alias
    #[arg(value_name = "COLLECTION")]
    pub(crate) collection: String,
}

/// What comes back with each point.
#[derive(Debug, Args)]
pub(crate) struct Selection {
    /// Return vectors as well
    #[arg(long)]
    pub(crate) with_vectors: bool,

    /// Leave payloads out
    #[arg(long)]
    pub(crate) no_payload: bool,
}

impl Selection {
    /// The same for the engine.
    pub(crate) fn select(&self) -> Select {
        Select {
            payload: PayloadSelector::from(!self.no_payload),
            vectors: self.with_vectors.into(),
        }
    }
}

/// A filter, where one is optional.
#[derive(Debug, Args)]
pub(crate) struct Filtering {
    /// Only points that match this filter, in Qdrant's JSON: {"must": [..], "should": [..], "must_not": [..]}
    #[arg(long, value_name = "JSON", value_parser = parse::filter)]
    pub(crate) filter: Option<Filter>,
}

/// An id on the command line: a number or a UUID.
pub(crate) fn id(text: &str) -> Result<PointId, String> {
    text.parse()
        .map_err(|_| "an id is a number from 0 to 18446744073709551615 or a UUID".to_owned())
}
