//! vdb beside its peers: measurements, tables, plots.
//!
//! ```text
//! ours (here) ----------------------.
//! edge-bench, server-bench, scripts -+-> lines.jsonl -> report.md, *.svg
//! files of lines -------------------'
//! target/criterion -> table of two saved runs | table of kernels beside plain reads
//! ```
//!
//! | file | what |
//! |---|---|
//! | `main.rs` | the command line |
//! | `options.rs` | what that command takes |
//! | `run.rs` | one command that measures everything |
//! | `parts.rs` | what it measures, part by part, and the files that keep them |
//! | `ours.rs` | our database in this process |
//! | `programs.rs` | programs that measure others |
//! | `scripts.rs` | scripts that measure others: what they are given, and over how many rows |
//! | `grow.rs` | a data set made larger |
//! | `lines.rs` | files of measurements |
//! | `curve.rs` | recall against speed |
//! | `report.rs`, `report/` | everything that was measured, sorted; tables and plots of it |
//! | `plot.rs` | drawing |
//! | `criterion.rs` | what criterion saved of its runs |

#![forbid(unsafe_code)]

mod criterion;
mod curve;
mod grow;
mod lines;
mod options;
mod ours;
mod parts;
mod plot;
mod programs;
mod report;
mod run;
mod scripts;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::parser::ValueSource;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use vdb_benches::{Error, Result};

use lines::Lines;
use report::Report;

/// Measure vdb beside its peers, and make tables and plots of what was measured
#[derive(Debug, Parser)]
#[command(name = "vdb-compare", version)]
struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Measure ours and whatever others are named, and report
    Run(Box<options::Args>),
    /// Tables and plots of files of JSON lines: of this program, edge-bench, server-bench, `vdb bench search --json`, or
    /// scripts that print the same fields
    Report {
        /// Files of lines
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Only of systems whose names begin with one of these
        #[arg(long, value_name = "LIST", value_delimiter = ',')]
        systems: Vec<String>,
        /// Write report.md and the plots here
        #[arg(long, value_name = "DIR", default_value = "target/compare")]
        out: PathBuf,
    },
    /// Compare two runs that criterion saved (`cargo bench -- --save-baseline NAME`); fails if any benchmark is slower
    Criterion {
        /// Criterion's folder
        #[arg(long, value_name = "DIR", default_value = "target/criterion")]
        dir: PathBuf,
        /// The run to compare with
        #[arg(long, value_name = "NAME", default_value = "base")]
        base: String,
        /// The run to judge
        #[arg(long, value_name = "NAME", default_value = "new")]
        new: String,
        /// Slower is what takes more than so many times as long
        #[arg(long, value_name = "RATIO", default_value_t = 1.1, value_parser = threshold)]
        threshold: f64,
    },
    /// Make a larger data set of the same shape
    Grow(grow::Args),
    /// Show the kernels of a criterion run beside plain reads of the same bytes
    Kernels {
        /// Criterion's folder
        #[arg(long, value_name = "DIR", default_value = "target/criterion")]
        dir: PathBuf,
        /// The run
        #[arg(long, value_name = "NAME", default_value = "new")]
        run: String,
    },
}

fn threshold(text: &str) -> Result<f64, String> {
    let ratio = text
        .parse()
        .ok()
        .filter(|ratio: &f64| ratio.is_finite() && *ratio >= 1.0);
    ratio.ok_or_else(|| format!("{text}: expected a ratio from 1 up"))
}

fn main() -> ExitCode {
    // Whether an option is on the command line, or has its default, is known to the matches alone.
    let matches = Args::command().get_matches();
    let args = Args::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let given = |option: &str| {
        let run = matches.subcommand_matches("run");
        run.is_some_and(|run| run.value_source(option) == Some(ValueSource::CommandLine))
    };
    let done = match args.what {
        What::Run(args) => args
            .check(given)
            .and_then(|()| run::run(&args))
            .and_then(|text| print(&text))
            .map(|()| ExitCode::SUCCESS),
        What::Report { files, systems, out } => report_of(&files, &systems, &out).map(|()| ExitCode::SUCCESS),
        What::Criterion {
            dir,
            base,
            new,
            threshold,
        } => criterion_runs(&dir, &base, &new, threshold),
        What::Grow(args) => grow::run(&args).map(|()| ExitCode::SUCCESS),
        What::Kernels { dir, run } => criterion::read(&dir, &run)
            .and_then(|run| criterion::shares(&run))
            .and_then(|text| print(&text))
            .map(|()| ExitCode::SUCCESS),
    };
    done.unwrap_or_else(|error| {
        let _ = writeln!(std::io::stderr(), "vdb-compare: {error}");
        ExitCode::FAILURE
    })
}

fn criterion_runs(dir: &Path, base: &str, new: &str, threshold: f64) -> Result<ExitCode> {
    let (text, worse) = criterion::compare(
        &criterion::read(dir, base)?,
        &criterion::read(dir, new)?,
        threshold,
    );
    print(&text)?;
    if worse == 0 {
        return Ok(ExitCode::SUCCESS);
    }
    print(&format!(
        "{worse} take more than {threshold} times as long or are gone\n"
    ))?;
    Ok(ExitCode::FAILURE)
}

fn report_of(files: &[PathBuf], systems: &[String], out: &Path) -> Result<()> {
    let mut all = Lines::default();
    for file in files {
        all.extend(Lines::read(file)?);
    }
    if !systems.is_empty() {
        all.leave(systems)?;
    }
    all.check()?;
    print(&Report::new(&all).write(out)?)
}

fn print(text: &str) -> Result<()> {
    let written = std::io::stdout().lock().write_all(text.as_bytes());
    written.map_err(Error::file("standard output".as_ref()))
}
