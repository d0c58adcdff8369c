//! The options of every harness that say what is measured on.

use std::ffi::OsString;
use std::path::PathBuf;

use vdb::Distance;

use crate::dataset::{Source, is_hdf5};

/// Which data, and which of its rows are queries.
#[derive(Clone, Debug, clap::Args)]
pub struct DataArgs {
    /// Vectors: .npy, .fvecs, .bvecs, or the .hdf5 of ann-benchmarks
    #[arg(long, value_name = "FILE")]
    pub data: PathBuf,

    /// Payloads: JSON Lines, a row each
    #[arg(long, value_name = "FILE")]
    pub payload: Option<PathBuf>,

    /// Row numbers of the queries; else the last --queries of numpy.random.default_rng(42).permutation(rows)
    #[arg(long, value_name = "ROWS.npy")]
    pub split: Option<PathBuf>,

    /// How many rows are queries
    #[arg(long, value_name = "N", default_value_t = 1000, conflicts_with = "split")]
    pub queries: usize,

    /// How nearness is measured; else what the file says, or cosine
    #[arg(long)]
    pub distance: Option<Distance>,
}

impl DataArgs {
    /// What is to be read: only the first `rows` that are not queries, if that is given.
    pub fn source(&self, rows: Option<usize>) -> Source {
        Source {
            data: self.data.clone(),
            payload: self.payload.clone(),
            split: self.split.clone(),
            queries: self.queries,
            rows,
            distance: self.distance,
        }
    }

    /// Whether the file is one of ann-benchmarks, which few programs read.
    pub fn is_hdf5(&self) -> bool {
        is_hdf5(&self.data)
    }

    /// The same for another program that has these options.
    pub fn arguments(&self) -> Vec<OsString> {
        let mut arguments = self.vectors_only();
        if let Some(payload) = &self.payload {
            arguments.extend(["--payload".into(), payload.into()]);
        }
        arguments
    }

    /// The same for a program that knows nothing of payloads. Queries that a file lists are not counted.
    pub fn vectors_only(&self) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = vec!["--data".into(), self.data.clone().into()];
        arguments.extend(match &self.split {
            Some(split) => ["--split".into(), split.into()],
            None => ["--queries".into(), self.queries.to_string().into()],
        });
        if let Some(distance) = self.distance {
            arguments.extend(["--distance".into(), distance.name().into()]);
        }
        arguments
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Program {
        #[command(flatten)]
        data: DataArgs,
    }

    #[test]
    fn a_program_that_is_given_them_reads_the_same() {
        for given in [
            &["--data", "v.npy"][..],
            &["--data", "v.npy", "--queries", "7", "--distance", "EUCLID"],
            &["--data", "v.npy", "--payload", "p.jsonl", "--split", "s.npy"],
        ] {
            let told = parse(given.iter().map(Into::into).collect()).unwrap().data;
            let again = parse(told.arguments()).unwrap().data;
            assert_eq!(format!("{told:?}"), format!("{again:?}"));
        }
    }

    #[test]
    fn a_distance_that_is_none_and_queries_that_would_not_count_are_refused() {
        for (wrong, told) in [
            (["--distance", "far"], "manhattan"),
            (["--queries", "7"], "--split"),
        ] {
            let given = ["--data", "v", "--split", "s"].iter().chain(&wrong);
            let error = parse(given.map(Into::into).collect()).unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        }
    }

    fn parse(arguments: Vec<OsString>) -> Result<Program, clap::Error> {
        Program::try_parse_from(std::iter::once("program".into()).chain(arguments))
    }
}
