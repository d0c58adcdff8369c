//! One command that measures everything: ours, Qdrant's core, scripts that measure others.

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use vdb_benches::{DataArgs, Dataset, Error, Result, Setting};
use vdb_measure::Plan;

use crate::lines::{self, Lines};
use crate::ours::{self, Course};
use crate::parts::{Kept, Part, Step, Work};
use crate::programs;
use crate::report::Report;

const AFTER: &str = "\
Writes DIR/parts/*.jsonl, DIR/lines.jsonl, DIR/report.md and DIR/*.svg. Each part is kept in a file of its own: --parts measures \
some again and reports them with what the others came to before; --resume leaves out those that are there. Use one DIR a data \
set. With --edge, ours is measured by that program too, in turns with Qdrant's core in one process; without it, here. \
Everything runs one after the other: leave the machine alone meanwhile.

Sizes above the number of rows are of mixtures of near neighbours beside the rows themselves, with the same queries.

Examples:
  vdb-compare run --data vectors.npy --payload rows.jsonl --edge target/release/edge-bench --peers benches/peers/peers.py
  vdb-compare run --data vectors.npy --vdb target/release/vdb --parts cold,clients";

/// What is measured
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    #[command(flatten)]
    data: DataArgs,

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

    /// Filters whose name contains one of these: lemmas (without an index), pairs as pos=verb+tags=t10 and not are
    /// measured only when they are named
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    cells: Vec<String>,

    /// Measure these parts only; else all that there is a program for
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    #[arg(default_values_t = [Part::Plain, Part::Filters, Part::Sizes, Part::Builds, Part::Clients, Part::Cold, Part::Peers], value_enum)]
    parts: Vec<Part>,

    /// Leave out parts that were measured before
    #[arg(long)]
    resume: bool,

    /// Shares of the files that can be in memory, in per cent
    #[arg(long, value_name = "LIST", default_value = "100,50,25,10")]
    cached: String,

    /// Threads that ask at once
    #[arg(long, value_name = "LIST", default_value = "1,2")]
    clients: String,

    /// The program vdb
    #[arg(long, value_name = "PROGRAM")]
    vdb: Option<PathBuf>,

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

    /// A Python script that prints JSON lines; it is given --data, --queries or --split, --distance if it was given here, and
    /// each --peers-arg. Several are run in turn
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

/// Measures all that is asked for; the tables of it.
pub(crate) fn run(args: &Args) -> Result<String> {
    let kept = Kept::at(args.out.join("parts"))?;
    let (mut all, mut stopped) = (Lines::default(), Vec::new());
    for file in &args.lines {
        all.extend(Lines::read(file)?);
    }
    for step in steps(args)? {
        let asked = args.parts.contains(&step.part);
        let before = kept.read(&step)?;
        if !asked || args.resume && before.is_some() {
            all.extend(before.unwrap_or_default());
            continue;
        }
        note(&step.name);
        match measure(args, &step.work) {
            Ok(lines) => {
                kept.keep(&step, &lines)?;
                all.extend(lines);
            }
            // The others are measured all the same: whoever started this may have left.
            Err(error) => {
                note(&format!("{} failed: {error}", step.name));
                stopped.push(step.name.clone());
                all.failures.push(format!("{}: {error}", step.name));
            }
        }
    }
    all.check()?;
    let file = args.out.join("lines.jsonl");
    match std::fs::remove_file(&file) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(Error::file(&file)(e)),
        Ok(()) | Err(_) => {}
    }
    lines::append(&file, &all)?;
    let report = Report::new(&all.lines, &all.failures);
    if let Some(plots) = &args.plots {
        report.plots(plots)?;
    }
    let text = report.write(&args.out)?;
    if stopped.is_empty() {
        return Ok(text);
    }
    Err(Error::Program(format!(
        "not measured: {}; {} says why and has the rest",
        stopped.join(", "),
        args.out.join("report.md").display()
    )))
}

/// Everything that there is to measure.
fn steps(args: &Args) -> Result<Vec<Step>> {
    let mut steps = Vec::new();
    // Only ours can be asked on rows that no file has.
    let known = match &args.edge {
        Some(_) if !args.sizes.is_empty() => Dataset::read(&args.data.source(None))?.len(),
        Some(_) | None => 0,
    };
    let sizes = args.sizes.iter().map(|rows| (Part::Sizes, Some(*rows), false));
    let all = [(Part::Plain, None, false), (Part::Filters, None, true)];
    for (part, rows, filtered) in sizes.chain(all) {
        let name = match rows {
            Some(rows) => format!("rows-{rows}"),
            None if filtered => "filtered".to_owned(),
            None => "plain".to_owned(),
        };
        let work = match &args.edge {
            Some(edge) if rows.is_none_or(|rows| rows <= known) => {
                Work::Program(edge.clone(), edge_bench(args, &name, rows, filtered)?)
            }
            Some(_) | None => Work::Here { rows, filtered },
        };
        steps.push(Step { part, name, work });
    }
    if let Some(vdb) = &args.vdb {
        let some = || ("--ef", "default,32,128".to_owned());
        let all = [
            (
                Part::Builds,
                vec![("--ef", listed(&args.ef)), ("--ef-construct", "quick".to_owned())],
            ),
            (Part::Clients, vec![some(), ("--clients", args.clients.clone())]),
            (Part::Cold, vec![some(), ("--cached", args.cached.clone())]),
        ];
        steps.extend(all.map(|(part, options)| Step::vdb(part, vdb, &args.data, &options)));
    }
    for script in &args.peers {
        let mut arguments = vec![script.into()];
        arguments.extend(args.data.vectors_only());
        arguments.extend(args.peers_arg.iter().cloned());
        steps.push(Step {
            part: Part::Peers,
            name: format!("script-{}", script.file_stem().unwrap_or_default().display()),
            work: Work::Program(args.python.clone(), arguments),
        });
    }
    Ok(steps)
}

fn measure(args: &Args, work: &Work) -> Result<Lines> {
    match work {
        Work::Here { rows, filtered } => here(args, *rows, *filtered),
        Work::Program(program, arguments) => programs::run(program, arguments),
    }
}

/// Ours alone, in this process.
fn here(args: &Args, rows: Option<usize>, filtered: bool) -> Result<Lines> {
    let mut set = Dataset::read(&args.data.source(rows))?;
    if let Some(rows) = rows.filter(|rows| *rows > set.len()) {
        set.grow(rows)?;
    }
    let plan = if args.smoke {
        Plan {
            warm_up: 0,
            passes: 2,
            time: Duration::ZERO,
        }
    } else {
        Plan::default()
    };
    let (plain, filtered) = match filtered {
        true => (Vec::new(), args.filtered_ef.clone()),
        false => (args.ef.clone(), Vec::new()),
    };
    let course = Course {
        plain,
        filtered,
        filtered_queries: 300,
        cells: args.cells.clone(),
        plan,
    };
    let mut found = Lines::default();
    ours::measure(&set, &course, &mut |line| found.lines.push(line))?;
    Ok(found)
}

/// Settings as command lines have them.
fn listed(settings: &[Setting]) -> String {
    let names: Vec<String> = settings
        .iter()
        .map(|setting| match setting {
            Setting::Ef(ef) => ef.to_string(),
            Setting::Default | Setting::Exact => setting.to_string(),
        })
        .collect();
    names.join(",")
}

/// Arguments for ours and Qdrant's core, by the program that has both.
fn edge_bench(args: &Args, name: &str, rows: Option<usize>, filtered: bool) -> Result<Vec<OsString>> {
    let mut arguments = args.data.arguments();
    let mut option = |name: &str, value: OsString| arguments.extend([name.into(), value]);
    if let Some(rows) = rows {
        option("--rows", rows.to_string().into());
    }
    option(
        "--ef",
        listed(if filtered { &args.filtered_ef } else { &args.ef }).into(),
    );
    if args.smoke {
        option("--passes", "2".into());
    }
    if let Some(keep) = &args.keep {
        let dir = keep.join(name);
        std::fs::create_dir_all(&dir).map_err(Error::file(&dir))?;
        option("--dir", dir.into());
    }
    if filtered {
        if !args.cells.is_empty() {
            option("--cells", args.cells.join(",").into());
        }
        arguments.push("--filtered".into());
    }
    Ok(arguments)
}

/// What is going on, for whoever waits.
fn note(text: &str) {
    // Nobody may be reading; the work goes on.
    let _ = writeln!(std::io::stderr(), "measuring: {text}");
}
