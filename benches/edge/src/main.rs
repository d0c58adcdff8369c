//! Our database and Qdrant's core (the crate `qdrant-edge`) in one process, on the same data, asked in turns.
//!
//! ```text
//! make  (a process a system): rows -> database in a directory, with its times and the most memory
//! weigh (a process a system): open, ask everything once -> memory
//! race  (this process): open all -> for each filter and setting: a pass of each in turns -> vdb_measure::Line
//! tasks (this process, --tasks): ours and a shard with texts and payloads -> counts, sparse and hybrid searches in turns -> Line
//! write (this process, --ingest): for each batch size and number of writers: a round of each in turns -> IngestLine
//! ```
//!
//! | file | what |
//! |---|---|
//! | `main.rs` | the command line |
//! | `edge.rs` | [`Edge`](edge::Edge): a shard of `qdrant-edge` as a system that is measured |
//! | `entrant.rs` | which systems there are, and how each is made, opened and asked |
//! | `ingest.rs` | the same shard as something that is written to |
//! | `parts.rs` | making and weighing, each in a process of its own |
//! | `tasks.rs` | a shard that is asked for counts, by sparse vectors, and by both kinds of vectors |

#![forbid(unsafe_code)]

mod edge;
mod entrant;
mod ingest;
mod parts;
mod tasks;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use vdb_benches::{
    Cells, Corpus, DataArgs, Dataset, Error, IngestPlan, Questions, Result, TaskKind, our_writers, race,
};
use vdb_measure::{Line, Measured, Plan, Setting, rounded};

use entrant::{Contents, Entrant, Opened};

/// Neighbours asked for.
const LIMIT: usize = 10;

/// Measure vdb and Qdrant's core in one process, one thread, asked in turns
///
/// Makes a database for each system from the same rows, then asks every system the same queries with the same settings,
/// a pass of each in turns, one query a call; per query the fastest pass counts. Prints one JSON line a system, filter
/// and setting: system, setting (or ef), recall (share of the ten nearest that exact search finds), qps, p50_us, p99_us,
/// build_s, load_s, disk_mb, rss_mb with its parts, filter, share.
///
/// Filters (with --filtered): tags t50, t10, t1, t01, drawn at random for 50, 10, 1 and 0.1 % of the rows; with
/// --payload also pos and lexfile of WordNet's. Keyword and integer indexes on all of them.
///
/// With --ingest nothing is asked: the same rows are written to ours with each level of durability and to Qdrant's core, whose
/// updates return when a server's with wait=true would (in its log, which is not synced then) and, flushed one by one, when a
/// power cut cannot take them any more. Batches of 1, 100 and 1000 rows from 1 and 16 threads.
///
/// With --tasks and --payload (WordNet's) ours and qdrant-edge with its defaults are asked other things: counts under every kind
/// of condition, texts by BM25 over sparse vectors, and both kinds of vectors fused by ranks. One database a system serves all;
/// it fails if two counts differ.
#[derive(Debug, Parser)]
#[command(name = "edge-bench", version)]
struct Args {
    #[command(flatten)]
    data: DataArgs,

    /// Search, or write, only the first N rows that are not queries; with --ingest 20000 unless given
    #[arg(long, value_name = "N")]
    rows: Option<usize>,

    /// Measure filtered searches instead of unfiltered ones
    #[arg(long)]
    filtered: bool,

    /// With --filtered: filters whose name contains one of these, lemmas (without an index), pairs as pos=verb+tags=t10 and
    /// not among them; those named above unless given
    #[arg(long, value_name = "LIST", value_delimiter = ',', requires = "filtered")]
    cells: Vec<String>,

    /// With --filtered: how many of the queries are asked
    #[arg(long, value_name = "N", default_value_t = 300, requires = "filtered")]
    filtered_queries: usize,

    /// Measure writes instead of searches
    #[arg(long, conflicts_with_all = ["filtered", "systems", "ef", "seconds", "tasks"])]
    ingest: bool,

    /// Measure these instead: counts, sparse, hybrid
    #[arg(long, value_name = "LIST", value_delimiter = ',', conflicts_with_all = ["filtered", "systems", "ef"])]
    tasks: Vec<TaskKind>,

    /// Which systems
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    systems: Vec<Entrant>,

    /// Settings: widths of the beam, or default. Unless given: 10 to 512, with --filtered 16,64,256; and default for vdb
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    ef: Vec<Setting>,

    /// Every query is asked, or every row written, at least so often
    #[arg(long, value_name = "N", default_value_t = 4)]
    passes: usize,

    /// A setting is measured for at least so many seconds
    #[arg(long, value_name = "S", default_value_t = 0.0)]
    seconds: f64,

    /// Make the databases here and keep them; those that are there are asked as they are, so remove vdb's folder when
    /// its format or its build has changed, and all of it when the data has. With --ingest: write below this directory, on
    /// the disk to be measured, and remove everything; the present directory unless given
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,

    /// Make one system's database in --dir and print what it took; the program calls itself with this
    #[arg(long, value_name = "SYSTEM", hide = true)]
    make: Option<Entrant>,

    /// Open one system's database in --dir, ask every query once, print its memory; the program calls itself with this
    #[arg(long, value_name = "SYSTEM", hide = true)]
    weigh: Option<Entrant>,
}

fn main() -> ExitCode {
    let args = Args::parse();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("edge-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<()> {
    if args.data.payload.is_some() && !args.filtered && args.tasks.is_empty() {
        let message = "--payload is for searches with filters and for tasks: add --filtered or --tasks";
        return Err(Error::Program(message.to_owned()));
    }
    let set = Dataset::read(&args.data.source(args.rows))?;
    if args.ingest {
        return write(args, &set);
    }
    let scratch;
    let dir = match &args.dir {
        Some(dir) => dir.clone(),
        None => {
            scratch = tempfile::tempdir().map_err(Error::file(&std::env::temp_dir()))?;
            scratch.path().to_owned()
        }
    };
    let plan = Plan {
        warm_up: 50,
        passes: args.passes,
        time: Duration::from_secs_f64(args.seconds),
    };
    if !args.tasks.is_empty() {
        return tasks::run(&Corpus::of(&set)?, &dir, &args.tasks, &plan);
    }
    let cells = args.filtered.then(|| Cells::of(&set));
    let contents = Contents {
        set: &set,
        payloads: cells.as_ref().map(|cells| cells.payloads.as_slice()),
    };
    if let Some(entrant) = args.make {
        return parts::make(entrant, &dir, &contents);
    }
    if let Some(entrant) = args.weigh {
        return parts::weigh(entrant, &dir, &set.queries);
    }

    let entrants = if args.systems.is_empty() {
        Entrant::usual(args.filtered)
    } else {
        args.systems.clone()
    };
    let mut known = Vec::new();
    for entrant in &entrants {
        known.push(parts::known(*entrant, &dir, args)?);
    }
    let opened = Opened::all(&entrants, &dir)?;
    let base = |entrant: usize, measured: &Measured, setting: Setting| Line {
        system: opened[entrant].name(),
        setting: setting.to_string(),
        rows: Some(set.len() as u64),
        data: Some(set.name.clone()),
        ..known[entrant].clone().measured(measured.clone())
    };

    if let Some(cells) = &cells {
        let asked = &set.queries[..args.filtered_queries.min(set.queries.len())];
        for cell in cells.named(&args.cells) {
            let truth = set.nearest(asked, LIMIT, Some(&cell.among));
            let questions = Questions {
                vectors: asked,
                truth: &truth,
                limit: LIMIT,
                filter: Some(&cell.filter),
            };
            let more = |line: Line| Line {
                filter: Some(cell.name.clone()),
                share: Some(rounded(cell.share(), 5)),
                queries: Some(asked.len()),
                ..line
            };
            let usual = [16, 64, 256].map(Setting::Ef);
            compete(
                args,
                &usual,
                &opened,
                questions,
                &plan,
                |entrant, setting, measured| tell(&more(base(entrant, measured, setting))),
            )?;
        }
        return Ok(());
    }
    let truth = set.truth(LIMIT);
    let questions = Questions {
        vectors: &set.queries,
        truth: &truth,
        limit: LIMIT,
        filter: None,
    };
    let usual = [10, 16, 24, 32, 48, 64, 96, 128, 200, 300, 512].map(Setting::Ef);
    compete(
        args,
        &usual,
        &opened,
        questions,
        &plan,
        |entrant, setting, measured| {
            tell(&Line {
                queries: Some(set.queries.len()),
                ..base(entrant, measured, setting)
            })
        },
    )
}

/// Writes to ours and to Qdrant's core in turns.
fn write(args: &Args, set: &Dataset) -> Result<()> {
    let disk = args.dir.clone().unwrap_or_else(|| PathBuf::from("."));
    let usual = IngestPlan::default();
    let plan = IngestPlan {
        rows: args.rows.unwrap_or(usual.rows),
        rounds: args.passes,
        ..usual
    };
    let mut writers = our_writers(set);
    writers.extend(ingest::writers(set));
    vdb_benches::ingest(set, &disk, &writers, &plan, &mut |line| tell(&line))
}

/// Races all systems with each setting; those asked for, or the usual ones and the default of ours.
fn compete(
    args: &Args,
    usual: &[Setting],
    opened: &[Opened],
    questions: Questions<'_>,
    plan: &Plan,
    mut tell: impl FnMut(usize, Setting, &Measured) -> Result<()>,
) -> Result<()> {
    let mut settings = args.ef.clone();
    if settings.is_empty() {
        settings.extend(usual);
        settings.push(Setting::Default);
    }
    for setting in settings {
        let takes_part = |entrant: &&(usize, &Opened)| {
            !args.ef.is_empty() || setting != Setting::Default || entrant.1.is_ours()
        };
        let entrants: Vec<(usize, &Opened)> = opened.iter().enumerate().collect();
        let entrants: Vec<_> = entrants.iter().filter(takes_part).collect();
        let runners = entrants
            .iter()
            .map(|(_, opened)| opened.runner(setting, questions, plan));
        let measured = race(runners.collect::<Result<_>>()?, plan)?;
        for ((entrant, _), measured) in entrants.iter().zip(&measured) {
            tell(*entrant, setting, measured)?;
        }
    }
    Ok(())
}

/// One line of JSON on standard output, at once.
fn tell(value: &impl serde::Serialize) -> Result<()> {
    let text = serde_json::to_string(value).map_err(|e| Error::Program(e.to_string()))?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}")
        .and_then(|()| out.flush())
        .map_err(Error::file("standard output".as_ref()))
}
