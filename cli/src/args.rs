//! What several commands share of their command lines.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use vdb::{Control, Filter, PayloadSelector, PointId, Select};

use crate::parse;

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
    /// Only points that match this filter, in Qdrant's JSON: {"must": [..], "should": [..], "must_not": [..]};
    /// @FILE or - read it from a file or from standard input (`vdb query --help` lists the conditions)
    #[arg(long, value_name = "JSON", value_parser = parse::brief(parse::filter))]
    pub(crate) filter: Option<Filter>,
}

/// How long a command may read.
#[derive(Debug, Args)]
pub(crate) struct Patience {
    /// Give up when the answer takes longer than this, counted from when the database is open; the exit code is then 124
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true, value_parser = parse::seconds)]
    timeout: Option<Duration>,
}

impl Patience {
    /// The same for the engine, from now on.
    pub(crate) fn control(&self) -> Control<'static> {
        let control = Control::none();
        self.timeout.map_or(control, |limit| control.timeout(limit))
    }
}

/// An id on the command line: a number or a UUID.
pub(crate) fn id(text: &str) -> Result<PointId, String> {
    text.parse()
        .map_err(|_| "an id is a number from 0 to 18446744073709551615 or a UUID".to_owned())
}
