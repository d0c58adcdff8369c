//! Making and weighing, each system in a process of its own: what one allocates must not count for another.

use std::path::Path;
use std::process::{Command, Stdio};

use vdb_benches::{Error, Question, Result};
use vdb_measure::{Line, Memory, Setting, directory_bytes, rounded};

use crate::entrant::{Contents, Entrant, Opened};
use crate::{Args, LIMIT, tell};

/// In the process that makes: prints what it took.
pub(crate) fn make(entrant: Entrant, dir: &Path, contents: &Contents<'_>) -> Result<()> {
    let made = entrant.make(dir, contents)?;
    tell(&Line {
        disk_mb: Some(rounded(directory_bytes(&entrant.home(dir)) as f64 / 1e6, 1)),
        ..made.line()
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
    tell(&Line::default().grown(Memory::now(), before))
}

/// Makes the system's database unless it is there, and weighs it: what is known before it is asked in turns with others.
pub(crate) fn known(entrant: Entrant, dir: &Path, args: &Args) -> Result<Line> {
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
    Ok(Line {
        rss_mb: weight.rss_mb,
        rss_anon_mb: weight.rss_anon_mb,
        rss_file_mb: weight.rss_file_mb,
        ..made
    })
}

fn parse(text: &str) -> Result<Line> {
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
