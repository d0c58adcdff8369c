//! One command that measures everything: ours, Qdrant's core, scripts that measure others.

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use vdb::Distance;
use vdb_benches::{Dataset, Error, Result, Setting, Source};
use vdb_measure::Plan;

use crate::lines::{self, Lines};
use crate::ours::{self, Course};
use crate::programs;
use crate::report::Report;

const AFTER: &str = "\
Writes DIR/lines.jsonl, DIR/report.md and DIR/*.svg. With --edge, ours is measured by that program too, in turns with \
Qdrant's core in one process; without it, here. Everything runs one after the other: leave the machine alone meanwhile.

Example:
  vdb-compare run --data vectors.npy --payload rows.jsonl --edge target/release/edge-bench --peers bench.py";

/// What is measured
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    /// Vectors: .npy, .fvecs, .bvecs, or the .hdf5 of ann-benchmarks (built with --features hdf5)
    #[arg(long, value_name = "FILE")]
    data: PathBuf,

    /// Payloads: JSON Lines, a row each
    #[arg(long, value_name = "FILE")]
    payload: Option<PathBuf>,

    /// Row numbers of the queries; else the last --queries of numpy.random.default_rng(42).permutation(rows)
    #[arg(long, value_name = "ROWS.npy")]
    split: Option<PathBuf>,

    /// How many rows are queries
    #[arg(long, value_name = "N", default_value_t = 1000)]
    queries: usize,

    /// How nearness is measured; else what the file says, or cosine
    #[arg(long, value_parser = distance)]
    distance: Option<Distance>,

    /// Measure searches without a filter over the first N rows as well, for each N, to see how everything grows
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    sizes: Vec<usize>,

    /// Settings of searches without a filter: widths of the beam, default, exact
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    #[arg(default_value = "10,16,24,32,48,64,96,128,200,300,512,default")]
    ef: Vec<Setting>,

    /// Settings of searches with a filter
    #[arg(
        long,
        value_name = "LIST",
        value_delimiter = ',',
        default_value = "16,64,256,default"
    )]
    filtered_ef: Vec<Setting>,

    /// Leave out searches with filters
    #[arg(long)]
    no_filters: bool,

    /// Ask every query twice and no more: to see whether it runs, not how fast
    #[arg(long)]
    smoke: bool,

    /// The program edge-bench, built in benches/edge
    #[arg(long, value_name = "PROGRAM")]
    edge: Option<PathBuf>,

    /// With --edge: keep the databases here; those that are there are asked as they are, so remove it when data or
    /// programs have changed
    #[arg(long, value_name = "DIR", requires = "edge")]
    keep: Option<PathBuf>,

    /// A Python script that prints JSON lines; it is given the data file and then each --peers-arg. Several are run in turn
    #[arg(long, value_name = "SCRIPT")]
    peers: Vec<PathBuf>,

    /// What runs the scripts
    #[arg(long, value_name = "PROGRAM", default_value = "python3", requires = "peers")]
    python: PathBuf,

    /// A further argument of the scripts
    #[arg(long, value_name = "ARG", requires = "peers", allow_hyphen_values = true)]
    peers_arg: Vec<OsString>,

    /// Files of lines that were measured before, or elsewhere
    #[arg(long, value_name = "FILE")]
    lines: Vec<PathBuf>,

    /// Where lines, tables and plots go
    #[arg(long, value_name = "DIR", default_value = "target/compare")]
    out: PathBuf,

    /// Write the plots here too
    #[arg(long, value_name = "DIR")]
    plots: Option<PathBuf>,
}

fn distance(text: &str) -> Result<Distance, String> {
    let all = [
        Distance::Cosine,
        Distance::Dot,
        Distance::Euclid,
        Distance::Manhattan,
    ];
    let found = all.into_iter().find(|one| one.name().eq_ignore_ascii_case(text));
    found.ok_or_else(|| format!("{text}: expected {}", all.map(Distance::name).join(", ")))
}

/// Measures all that is asked for; the tables of it.
pub(crate) fn run(args: &Args) -> Result<String> {
    std::fs::create_dir_all(&args.out).map_err(Error::file(&args.out))?;
    let file = args.out.join("lines.jsonl");
    match std::fs::remove_file(&file) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(Error::file(&file)(e)),
        Ok(()) | Err(_) => {}
    }
    let mut all = Lines::default();
    for file in &args.lines {
        all.extend(Lines::read(file)?);
    }
    lines::append(&file, &all.lines)?;
    let mut add = |part: Lines| {
        lines::append(&file, &part.lines)?;
        all.extend(part);
        Ok::<(), Error>(())
    };

    for rows in args.sizes.iter().map(|rows| Some(*rows)).chain([None]) {
        let filters = rows.is_none() && !args.no_filters;
        match &args.edge {
            Some(edge) => {
                add(edge_bench(args, edge, rows, false)?)?;
                if filters {
                    add(edge_bench(args, edge, rows, true)?)?;
                }
            }
            None => add(here(args, rows, filters)?)?,
        }
    }
    for script in &args.peers {
        let mut arguments = vec![script.into(), args.data.clone().into()];
        arguments.extend(args.peers_arg.iter().cloned());
        note(&format!("{}", script.display()));
        add(programs::run(&args.python, &arguments)?)?;
    }
    all.check()?;
    let report = Report::new(&all.lines, &all.failures);
    if let Some(plots) = &args.plots {
        report.plots(plots)?;
    }
    report.write(&args.out)
}

/// Ours alone, in this process.
fn here(args: &Args, rows: Option<usize>, filters: bool) -> Result<Lines> {
    let set = Dataset::read(&Source {
        data: args.data.clone(),
        payload: args.payload.clone(),
        split: args.split.clone(),
        queries: args.queries,
        rows,
        distance: args.distance,
    })?;
    note(&format!("vdb, {} rows", set.len()));
    let plan = if args.smoke {
        Plan {
            warm_up: 0,
            passes: 2,
            time: Duration::ZERO,
        }
    } else {
        Plan::default()
    };
    let course = Course {
        plain: args.ef.clone(),
        filtered: if filters {
            args.filtered_ef.clone()
        } else {
            Vec::new()
        },
        filtered_queries: 300,
        plan,
    };
    let mut found = Lines::default();
    ours::measure(&set, &course, &mut |line| found.lines.push(line))?;
    Ok(found)
}

/// Ours and Qdrant's core, by the program that has both.
fn edge_bench(args: &Args, program: &Path, rows: Option<usize>, filtered: bool) -> Result<Lines> {
    let mut arguments: Vec<OsString> = vec!["--data".into(), args.data.clone().into()];
    let mut option = |name: &str, value: OsString| arguments.extend([name.into(), value]);
    for (name, file) in [("--payload", &args.payload), ("--split", &args.split)] {
        if let Some(file) = file {
            option(name, file.into());
        }
    }
    option("--queries", args.queries.to_string().into());
    if let Some(rows) = rows {
        option("--rows", rows.to_string().into());
    }
    if let Some(distance) = args.distance {
        option("--distance", distance.name().into());
    }
    let settings = if filtered { &args.filtered_ef } else { &args.ef };
    let settings: Vec<String> = settings
        .iter()
        .map(|setting| match setting {
            Setting::Ef(ef) => ef.to_string(),
            Setting::Default | Setting::Exact => setting.to_string(),
        })
        .collect();
    option("--ef", settings.join(",").into());
    if args.smoke {
        option("--passes", "2".into());
    }
    if let Some(keep) = &args.keep {
        let name = match rows {
            Some(rows) => format!("rows-{rows}"),
            None if filtered => "filtered".to_owned(),
            None => "plain".to_owned(),
        };
        let dir = keep.join(name);
        std::fs::create_dir_all(&dir).map_err(Error::file(&dir))?;
        option("--dir", dir.into());
    }
    if filtered {
        arguments.push("--filtered".into());
    }
    note(&format!(
        "{}{}",
        program.display(),
        if filtered { ", filtered" } else { "" }
    ));
    programs::run(program, &arguments)
}

/// What is going on, for whoever waits.
fn note(text: &str) {
    // Nobody may be reading; the work goes on.
    let _ = writeln!(std::io::stderr(), "measuring: {text}");
}
