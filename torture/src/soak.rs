//! `vdb-torture soak`: a process that writes is killed, again and again.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use vdb_tests::Numbers;
use vdb_tests::torture::life::Life;
use vdb_tests::torture::soak::{Plan, Said, open, write_until_killed};

use crate::{interrupt, report};

/// Kill a process that writes, deletes, searches and takes snapshots, and look for everything acknowledged
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Stop after so many minutes
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = minutes)]
    minutes: Option<Duration>,
    /// Stop after so many kills; 100 where no --minutes are given either
    #[arg(long, value_name = "N")]
    rounds: Option<u64>,
    /// Threads that write, each waiting for its own syncs
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u64).range(1..=1000))]
    writers: u64,
    /// Below which directory the database is made; a temporary one when left out. It is kept when something is lost
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// A process lives at most so long
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 2_000, value_parser = clap::value_parser!(u64).range(1..))]
    longest: u64,
    /// Decides when processes are killed
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// One JSON object instead of a table
    #[arg(long)]
    json: bool,
}

fn minutes(text: &str) -> Result<Duration, String> {
    let minutes: Option<f64> = text.parse().ok().filter(|minutes| *minutes > 0.0);
    let time = minutes.and_then(|minutes| Duration::try_from_secs_f64(minutes * 60.0).ok());
    time.ok_or_else(|| "expected minutes, for example 10 or 0.5".to_owned())
}

/// What the parent tells a child.
#[derive(clap::Args)]
pub(crate) struct ChildArgs {
    dir: PathBuf,
    round: u64,
    writers: u64,
}

/// The child's part.
pub(crate) fn write(args: &ChildArgs) -> bool {
    let plan = Plan {
        round: args.round,
        writers: args.writers,
        one_weak: false,
    };
    write_until_killed(&args.dir, plan);
    // It has not been killed.
    false
}

/// True when nothing was lost.
pub(crate) fn run(args: &Args) -> bool {
    match soak(args) {
        Ok(sound) => sound,
        Err(why) => {
            eprintln!("{why}");
            false
        }
    }
}

fn soak(args: &Args) -> Result<bool, String> {
    let made = match &args.dir {
        Some(dir) => {
            std::fs::create_dir_all(dir).map_err(|e| format!("{}: {e}", dir.display()))?;
            tempfile::Builder::new().prefix("vdb-soak-").tempdir_in(dir)
        }
        None => tempfile::tempdir(),
    };
    let home = made.map_err(|e| format!("no directory for the database: {e}"))?;
    let dir = home.path().join("db");
    let rounds = args
        .rounds
        .unwrap_or(if args.minutes.is_some() { u64::MAX } else { 100 });
    let limit = args.minutes;
    let bar = report::bar(Some(rounds).filter(|rounds| *rounds < u64::MAX), "kills");
    let (start, numbers) = (Instant::now(), &mut Numbers::new(args.seed));
    let (mut said, mut lost, mut round) = (Said::default(), Vec::new(), 0);
    while round < rounds && !interrupt::asked_to_stop() && limit.is_none_or(|limit| start.elapsed() < limit) {
        let life = Duration::from_millis(1 + numbers.below(args.longest));
        said.hear(&one_life(&dir, round, args.writers, life)?);
        round += 1;
        let checked = open(&dir).and_then(|db| said.check(&db).and_then(|lost| db.close().map(|()| lost)));
        lost.extend(checked.unwrap_or_else(|error| vec![format!("after {round} kills: {error}")]));
        bar.set_position(round);
        bar.set_message(format!(
            "{} acknowledged, {} lost",
            said.acknowledged(),
            lost.len()
        ));
        if !lost.is_empty() {
            break;
        }
    }
    bar.finish_and_clear();
    lost.iter().for_each(|what| eprintln!("{what}"));
    if !lost.is_empty() {
        eprintln!("kept: {}", home.keep().display());
    }
    report::print(
        args.json,
        &[
            ("kills", round.into()),
            ("writers", args.writers.into()),
            ("acknowledged", said.acknowledged().into()),
            ("lost", lost.len().into()),
            ("seconds", report::seconds(start.elapsed())),
        ],
    );
    Ok(lost.is_empty())
}

/// Starts a child, kills it, and returns what it said.
fn one_life(dir: &Path, round: u64, writers: u64, life: Duration) -> Result<String, String> {
    // What a child was killed in the middle of copying.
    for entry in dir
        .parent()
        .into_iter()
        .flat_map(std::fs::read_dir)
        .flatten()
        .flatten()
    {
        if entry.path() != dir {
            let _ = std::fs::remove_file(entry.path());
        }
    }
    let program = std::env::current_exe().map_err(|e| format!("this program is not found: {e}"))?;
    let mut child = Command::new(program);
    child
        .arg("soak-child")
        .arg(dir)
        .args([round.to_string(), writers.to_string()]);
    let Life { said, ended } =
        Life::take(&mut child, life).map_err(|e| format!("round {round}: the process that writes: {e}"))?;
    match ended {
        // Ctrl-C reaches the children of a terminal, too.
        Some(status) if !interrupt::asked_to_stop() => Err(format!(
            "round {round}: the process that writes ended by itself: {status}"
        )),
        Some(_) | None => Ok(said),
    }
}
