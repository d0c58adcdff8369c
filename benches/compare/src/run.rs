//! One command that measures everything: ours, Qdrant's core, scripts that measure others.

use std::ffi::OsString;
use std::io::Write;
use std::time::Duration;

use vdb_benches::{
    Corpus, DataArgs, Dataset, Error, IngestPlan, OursTasks, Result, TaskKind, ingest, measure_tasks,
    our_writers,
};
use vdb_measure::{Line, Plan, Setting};

use crate::lines::{self, Lines};
use crate::options::Args;
use crate::ours::{self, Course};
use crate::parts::{Kept, Part, Step, Work};
use crate::programs::{self, SMOKE};
use crate::report::Report;
use crate::scripts::{self, Written};

/// Measures all that is asked for; the tables of it.
pub(crate) fn run(args: &Args) -> Result<String> {
    let kept = Kept::at(args.out.join("parts"))?;
    let written = Written::for_programs(args)?;
    let data = written.as_ref().map_or(&args.data, |written| &written.data);
    let (mut all, mut stopped) = (Lines::default(), Vec::new());
    for file in &args.lines {
        all.extend(Lines::read(file)?);
    }
    for step in steps(args, data)? {
        let asked = args.parts.contains(&step.part);
        let before = kept.read(&step)?;
        if !asked || args.resume && before.is_some() {
            all.extend(before.unwrap_or_default());
            continue;
        }
        note(&step.name);
        match measure(args, data, &step.work) {
            Ok(mut lines) => {
                if step.part == Part::Builds {
                    lines.lines.iter_mut().for_each(alone);
                }
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
    lines::write(&file, &all)?;
    let report = Report::new(&all);
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

/// Everything that there is to measure; `data` is what programs read that read no HDF5.
fn steps(args: &Args, data: &DataArgs) -> Result<Vec<Step>> {
    let mut steps = sizes(args)?;
    for (part, name, filtered) in [(Part::Plain, "plain", false), (Part::Filters, "filtered", true)] {
        let work = match &args.edge {
            Some(edge) => Work::Program(edge.clone(), edge_bench(args, name, None, filtered)?),
            None => Work::Here { rows: None, filtered },
        };
        let name = name.to_owned();
        steps.push(Step { part, name, work });
    }
    steps.push(Step {
        part: Part::Ingest,
        name: Part::Ingest.name(),
        work: match &args.edge {
            Some(edge) => Work::Program(edge.clone(), edge_ingest(args)),
            None => Work::Write,
        },
    });
    if args.data.payload.is_some() {
        steps.extend(tasks(args)?);
    }
    if let Some(vdb) = &args.vdb {
        let some = || ("--ef", "default,32,128".to_owned());
        let all = [
            (
                Part::Builds,
                vec![
                    ("--ef", listed(&args.ef)),
                    ("--ef-construct", "default,quick".to_owned()),
                ],
            ),
            (Part::Clients, vec![some(), ("--clients", args.clients.clone())]),
            (Part::Cold, vec![some(), ("--cached", args.cached.clone())]),
        ];
        steps.extend(all.map(|(part, mut options)| {
            if args.smoke {
                options.extend(SMOKE.map(|(name, value)| (name, value.to_owned())));
            }
            Step::vdb(part, vdb, data, &options)
        }));
    }
    steps.extend(scripts::steps(args, data));
    Ok(steps)
}

/// Ours over other numbers of rows. With Qdrant's core only as many as the data has, so that it is measured by itself at
/// every size as well: a curve of both kinds would bend where one gives way to the other.
fn sizes(args: &Args) -> Result<Vec<Step>> {
    let known = match &args.edge {
        Some(_) if !args.sizes.is_empty() => Dataset::read(&args.data.source(None))?.len(),
        Some(_) | None => 0,
    };
    let mut steps = Vec::new();
    for rows in &args.sizes {
        let mut step = |name: String, work| {
            steps.push(Step {
                part: Part::Sizes,
                name,
                work,
            });
        };
        let name = format!("rows-{rows}");
        let here = Work::Here {
            rows: Some(*rows),
            filtered: false,
        };
        let Some(edge) = &args.edge else {
            step(name, here);
            continue;
        };
        if *rows <= known {
            let arguments = edge_bench(args, &name, Some(*rows), false)?;
            step(name.clone(), Work::Program(edge.clone(), arguments));
        }
        step(format!("{name}-alone"), here);
    }
    Ok(steps)
}

/// What is added to the name of ours where it was asked by itself, as scripts ask theirs, and not in turns with others, whose
/// data then push its own out of the caches.
const ALONE: &str = " alone";

/// Marks a build that was asked by itself. The program that asked held queries and answers as well, so it has not weighed
/// the index.
fn alone(line: &mut Line) {
    line.system.push_str(ALONE);
    (line.rss_mb, line.rss_anon_mb, line.rss_file_mb) = (None, None, None);
}

fn measure(args: &Args, data: &DataArgs, work: &Work) -> Result<Lines> {
    match work {
        Work::Here { rows, filtered } => here(args, *rows, *filtered),
        Work::Write => write(args),
        Work::Task(kind) => task(args, *kind),
        Work::Program(program, arguments) => programs::run(program, arguments),
        Work::Script { script, rows } => scripts::measure(args, data, script, *rows),
    }
}

/// How long ours is asked here.
fn plan(args: &Args) -> Plan {
    if args.smoke {
        return Plan {
            warm_up: 0,
            passes: 2,
            time: Duration::ZERO,
        };
    }
    Plan::default()
}

/// Ours alone, in this process.
fn here(args: &Args, rows: Option<usize>, filtered: bool) -> Result<Lines> {
    let mut source = args.data.source(rows);
    source.payload = source.payload.filter(|_| filtered);
    let mut set = Dataset::read(&source)?;
    if let Some(rows) = rows.filter(|rows| *rows > set.len()) {
        set.grow(rows)?;
    }
    let (plain, filtered) = match filtered {
        true => (Vec::new(), args.filtered_ef.clone()),
        false => (args.ef.clone(), Vec::new()),
    };
    let course = Course {
        plain,
        filtered,
        filtered_queries: 300,
        cells: args.cells.clone(),
        plan: plan(args),
    };
    // Lines of the same rows that were measured in turns have the name itself.
    let added = if args.edge.is_some() { ALONE } else { "" };
    let mut found = Lines::default();
    ours::measure(&set, &course, &mut |mut line| {
        line.system.push_str(added);
        found.lines.push(line);
    })?;
    Ok(found)
}

/// Counts, sparse and hybrid searches.
fn tasks(args: &Args) -> Result<Vec<Step>> {
    let parts = [Part::Counts, Part::Sparse, Part::Hybrid].into_iter();
    let kinds = parts.filter_map(|part| Some((part, part.task()?)));
    let steps = kinds.map(|(part, kind)| {
        let work = match &args.edge {
            Some(edge) => Work::Program(edge.clone(), edge_task(args, kind)?),
            None => Work::Task(kind),
        };
        let name = part.name();
        Ok(Step { part, name, work })
    });
    steps.collect()
}

/// Ours alone, in this process, asked other things than for the nearest vectors.
fn task(args: &Args, kind: TaskKind) -> Result<Lines> {
    let set = Dataset::read(&args.data.source(None))?;
    let corpus = Corpus::of(&set)?;
    let scratch = tempfile::tempdir().map_err(Error::file(&std::env::temp_dir()))?;
    let ours = OursTasks::make(&scratch.path().join("vdb-tasks"), &corpus)?;
    let mut found = Lines::default();
    measure_tasks(&corpus, &[kind], &[&ours], &plan(args), &mut |line| {
        found.lines.push(line);
        Ok(())
    })?;
    Ok(found)
}

/// Arguments for them, by the program that has ours and Qdrant's core. One database a system serves all, where it is kept.
fn edge_task(args: &Args, kind: TaskKind) -> Result<Vec<OsString>> {
    let mut arguments = args.data.arguments();
    arguments.extend(["--tasks".into(), kind.name().into()]);
    if args.smoke {
        arguments.extend(["--passes".into(), "2".into()]);
    }
    if let Some(keep) = &args.keep {
        let dir = keep.join("tasks");
        std::fs::create_dir_all(&dir).map_err(Error::file(&dir))?;
        arguments.extend(["--dir".into(), dir.into()]);
    }
    Ok(arguments)
}

/// How much is written.
fn ingest_plan(args: &Args) -> IngestPlan {
    if args.smoke {
        return IngestPlan {
            rows: 200,
            rounds: 1,
            ..IngestPlan::default()
        };
    }
    IngestPlan {
        rows: args.ingest_rows,
        ..IngestPlan::default()
    }
}

/// Writes to ours alone, in this process.
fn write(args: &Args) -> Result<Lines> {
    let plan = ingest_plan(args);
    let mut source = args.data.source(Some(plan.rows));
    source.payload = None;
    let set = Dataset::read(&source)?;
    let mut found = Lines::default();
    ingest(&set, &args.out, &our_writers(&set), &plan, &mut |line| {
        found.ingests.push(line);
        Ok(())
    })?;
    Ok(found)
}

/// Arguments for writes to ours and to Qdrant's core.
fn edge_ingest(args: &Args) -> Vec<OsString> {
    let plan = ingest_plan(args);
    let mut arguments = args.data.vectors_only();
    arguments.extend(["--ingest".into(), "--dir".into(), args.out.clone().into()]);
    arguments.extend(["--rows".into(), plan.rows.to_string().into()]);
    arguments.extend(["--passes".into(), plan.rounds.to_string().into()]);
    arguments
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
    let mut arguments = match filtered {
        true => args.data.arguments(),
        false => args.data.vectors_only(),
    };
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

#[cfg(test)]
mod tests;
