//! Making and weighing, each system in a process of its own: what one allocates must not count for another.

use std::path::Path;
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};
use vdb_benches::{Error, Question, Result, Setting};
use vdb_measure::{Line, Memory, directory_bytes, rounded};

use crate::entrant::{Contents, Entrant, Opened};
use crate::{Args, LIMIT, tell};

/// What is known of a system before it is asked in turns with others.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Known {
    load_s: Option<f64>,
    merge_s: Option<f64>,
    build_s: Option<f64>,
    make_rss_anon_mb: Option<f64>,
    disk_mb: Option<f64>,
    rss_mb: Option<f64>,
    rss_anon_mb: Option<f64>,
    rss_file_mb: Option<f64>,
}

/// A line with what is known.
pub(crate) fn line(known: &Known) -> Line {
    Line {
        load_s: known.load_s,
        merge_s: known.merge_s,
        build_s: known.build_s,
        make_rss_anon_mb: known.make_rss_anon_mb,
        disk_mb: known.disk_mb,
        rss_mb: known.rss_mb,
        rss_anon_mb: known.rss_anon_mb,
        rss_file_mb: known.rss_file_mb,
        ..Line::default()
    }
}

/// In the process that makes: prints what it took.
pub(crate) fn make(entrant: Entrant, dir: &Path, contents: &Contents<'_>) -> Result<()> {
    let made = entrant.make(dir, contents)?;
    tell(&Known {
        load_s: made.load_s,
        merge_s: made.merge_s,
        build_s: made.build_s,
        make_rss_anon_mb: made.peak_anon_mb,
        disk_mb: Some(rounded(directory_bytes(&entrant.home(dir)) as f64 / 1e6, 1)),
        ..Known::default()
    })
}

/// In the process that weighs: prints by how much its memory grew while the database was opened and asked.
pub(crate) fn weigh(entrant: Entrant, dir: &Path, queries: &[Vec<f32>]) -> Result<()> {
    let before = Memory::now();
    let all = Opened::all(&[entrant], dir)?;
    for (opened, vector) in all
        .iter()
        .flat_map(|opened| queries.iter().map(move |vector| (opened, vector)))
    {
        opened.ask(&Question {
            vector,
            limit: LIMIT,
            setting: Setting::Ef(128),
            filter: None,
        })?;
    }
    let after = Memory::now();
    tell(&Known {
        rss_mb: Memory::growth_mb(after, before, |memory| memory.total),
        rss_anon_mb: Memory::growth_mb(after, before, |memory| memory.anonymous),
        rss_file_mb: Memory::growth_mb(after, before, |memory| memory.file),
        ..Known::default()
    })
}

/// Makes the system's database unless it is there, weighs it, and says what both told.
pub(crate) fn known(entrant: Entrant, dir: &Path, args: &Args) -> Result<Known> {
    // Written when a database is complete: a folder without it is what an earlier run left half done.
    let (home, note) = (entrant.home(dir), entrant.home(dir).with_extension("made.json"));
    let made = if home.exists() && note.exists() {
        parse(&std::fs::read_to_string(&note).map_err(Error::file(&note))?)?
    } else {
        if home.exists() {
            std::fs::remove_dir_all(&home).map_err(Error::file(&home))?;
        }
        eprintln!("making {}", home.display());
        let text = call("--make", entrant, dir, args)?;
        std::fs::write(&note, &text).map_err(Error::file(&note))?;
        parse(&text)?
    };
    let weight = parse(&call("--weigh", entrant, dir, args)?)?;
    Ok(Known {
        rss_mb: weight.rss_mb,
        rss_anon_mb: weight.rss_anon_mb,
        rss_file_mb: weight.rss_file_mb,
        ..made
    })
}

fn parse(text: &str) -> Result<Known> {
    serde_json::from_str(text).map_err(|e| Error::Program(format!("{text}: {e}")))
}

/// Runs this program again with the same data and one part to do; what it printed.
fn call(part: &str, entrant: Entrant, dir: &Path, args: &Args) -> Result<String> {
    let program = std::env::current_exe().map_err(Error::file("this program".as_ref()))?;
    let mut command = Command::new(&program);
    command.arg(part).arg(entrant.key()).arg("--dir").arg(dir);
    command.args(args.data.arguments());
    if let Some(rows) = args.rows {
        command.arg("--rows").arg(rows.to_string());
    }
    if args.filtered {
        command.arg("--filtered");
    }
    let output = command.stderr(Stdio::inherit()).output();
    let output = output.map_err(Error::file(&program))?;
    if !output.status.success() {
        return Err(Error::Program(format!("{part} {} failed", entrant.key())));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
