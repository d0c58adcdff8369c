//! `vdb demo`: the main job on real data, in processes of their own.
//!
//! One process loads the words that ship with the sources and builds the graph, and ends; further ones open the
//! directory and query it. Every command is printed, so that people can go on from there.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use serde_json::json;

use crate::failure::{Failure, Outcome};
use crate::open;
use crate::out::{Out, quoted};

/// Where the data is in the sources that this program was built from.
const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/wordnet");
/// The same from the top of a checkout, for a program that was moved to another machine.
const DATA_HERE: &str = "tests/data/wordnet";
const VECTORS: &str = "wordnet-5k.f16.npy";
const PAYLOADS: &str = "wordnet-5k.jsonl";
const COLLECTION: &str = "words";

const AFTER: &str = "\
With --json the answers of the commands are followed by {\"database\": DIR, \"load_s\": X, \"query_s\": [X, ..]}.

Examples:
  vdb demo
  vdb demo --db /tmp/words --fresh
  cargo run --release --bin vdb -- demo";

/// Load 5,000 WordNet entries, then query them from a second process
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    /// Directory of the database to make
    #[arg(long, value_name = "DIR", default_value = "demo-db")]
    db: PathBuf,

    /// Directory with the demo data, if it is not where it was when this program was built
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,

    /// Replace the database of an earlier demo; one with other collections is left alone
    #[arg(long)]
    fresh: bool,
}

/// What the demo asks: a heading, and the arguments that follow `vdb query DB words`.
const QUESTIONS: [(&str, &[&str]); 4] = [
    ("What is near an owl?", &["--match", "words=owl", "--limit", "5"]),
    (
        "What is near nostalgia?",
        &["--match", "words=nostalgia", "--limit", "5"],
    ),
    (
        "And which verbs are near jealousy?",
        &[
            "--match",
            "words=jealousy",
            "--limit",
            "5",
            "--filter",
            r#"{"must": [{"key": "pos", "match": {"value": "verb"}}]}"#,
        ],
    ),
    (
        "Which foods are near a river? (compared one by one, without the graph)",
        &[
            "--match",
            "words=river",
            "--limit",
            "3",
            "--exact",
            "--filter",
            r#"{"must": [{"key": "topic", "match": {"value": "noun.food"}}]}"#,
        ],
    ),
];

pub(crate) fn run(args: &Args, out: &mut Out) -> Outcome {
    let data = find_data(args.data.as_deref())?;
    make_room(args)?;
    let program = std::env::current_exe()
        .map_err(|e| Failure::failed(format!("cannot find this program to run it again: {e}")))?;

    heading(
        out,
        "Load 5,000 words and build the graph (a process of its own, which ends)",
    )?;
    let mut load: Vec<OsString> = vec!["load".into(), args.db.clone().into(), COLLECTION.into()];
    load.extend([
        data.join(VECTORS).into(),
        "--payload".into(),
        data.join(PAYLOADS).into(),
    ]);
    let load_s = step(&program, &load, out)?;

    let mut query_s = Vec::new();
    for (question, options) in QUESTIONS {
        heading(out, question)?;
        let mut query: Vec<OsString> = vec!["query".into(), args.db.clone().into(), COLLECTION.into()];
        query.extend(options.iter().map(OsString::from));
        query_s.push(step(&program, &query, out)?);
    }
    if out.json {
        let db = args.db.display().to_string();
        return out.value(&json!({"database": db, "load_s": load_s, "query_s": query_s}));
    }
    if out.quiet {
        return Ok(());
    }
    out.line(format_args!(
        "The database stays in {}; `vdb` above is {}.",
        args.db.display(),
        program.display()
    ))
}

fn heading(out: &mut Out, text: &str) -> Outcome {
    if out.json || out.quiet {
        Ok(())
    } else {
        out.line(format_args!("# {text}"))
    }
}

fn find_data(given: Option<&Path>) -> Outcome<PathBuf> {
    let places: Vec<&Path> = match given {
        Some(dir) => vec![dir],
        None => vec![Path::new(DATA), Path::new(DATA_HERE)],
    };
    let complete = |dir: &&&Path| [VECTORS, PAYLOADS].iter().all(|file| dir.join(file).is_file());
    match places.iter().find(complete) {
        // Shorter to read, and the same directory.
        Some(dir) => Ok(dir.canonicalize().unwrap_or_else(|_| dir.to_path_buf())),
        None => {
            let looked: Vec<String> = places.iter().map(|dir| dir.display().to_string()).collect();
            Err(Failure::failed(format!(
                "{VECTORS} and {PAYLOADS} are not in {}; name the directory that holds them with --data",
                looked.join(" or ")
            )))
        }
    }
}

/// Sees to it that there is nothing where the database is to be.
fn make_room(args: &Args) -> Outcome {
    let dir = &args.db;
    if !dir.exists() {
        return Ok(());
    }
    if !args.fresh {
        return Err(Failure::failed(format!(
            "{}: is there already; choose another directory with --db, or replace it with --fresh",
            dir.display()
        )));
    }
    // Only what opens as a database, is not in use, and holds what the demo made and nothing else, is removed.
    let db = open::database(dir)?;
    let (collections, aliases) = (db.collections(), db.aliases());
    let is_ours = collections.is_empty() || collections == [COLLECTION];
    db.close()?;
    if !is_ours || !aliases.is_empty() {
        return Err(Failure::failed(format!(
            "{}: this database was not made by the demo, or not by it alone: it holds {}; remove it yourself, or choose \
             another directory with --db",
            dir.display(),
            collections.join(", ")
        )));
    }
    std::fs::remove_dir_all(dir)
        .map_err(|e| Failure::failed(format!("{}: cannot be removed: {e}", dir.display())))
}

/// Runs `vdb` with these arguments and waits for its end; the seconds that it took.
fn step(program: &Path, arguments: &[OsString], out: &mut Out) -> Outcome<f64> {
    let line: Vec<String> = arguments
        .iter()
        .map(|argument| quoted(&argument.to_string_lossy()))
        .collect();
    if !out.json && !out.quiet {
        out.line(format_args!("$ vdb {}", line.join(" ")))?;
    }
    out.flush()?;
    let mut command = Command::new(program);
    command.args(arguments);
    command.args(out.json.then_some("--json"));
    command.args(out.quiet.then_some("--quiet"));
    let started = Instant::now();
    let status = command
        .status()
        .map_err(|e| Failure::failed(format!("{}: cannot be run: {e}", program.display())))?;
    let seconds = started.elapsed().as_secs_f64();
    if !status.success() {
        return Err(Failure::failed(format!(
            "`vdb {}` failed ({status})",
            line.join(" ")
        )));
    }
    if !out.json && !out.quiet {
        out.line(format_args!("({seconds:.2} s)\n"))?;
    }
    Ok(seconds)
}
