//! `vdb-torture crash`: crashes by the million.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use indicatif::ProgressBar;
use vdb_tests::torture::{Scratch, Tally, case};

use crate::{interrupt, panics, report};

/// So many failures, and the run is over: more would say nothing new.
const ENOUGH_FAILURES: usize = 20;

/// Cut the power, fail calls and fill disks under random scripts, and count what is lost
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Stop after so many power cuts
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    crashes: u64,
    /// Threads, each with databases of its own
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=1024))]
    threads: u64,
    /// The first seed; each script takes the next one
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// One JSON object instead of a table
    #[arg(long)]
    json: bool,
}

struct Run<'a> {
    args: &'a Args,
    next: AtomicU64,
    done: Mutex<Done>,
    bar: ProgressBar,
}

#[derive(Default)]
struct Done {
    scripts: u64,
    tally: Tally,
    failed: Vec<u64>,
}

/// True when nothing was lost.
pub(crate) fn run(args: &Args) -> bool {
    panics::keep();
    let run = Run {
        args,
        next: AtomicU64::new(args.seed),
        done: Mutex::default(),
        bar: report::bar(Some(args.crashes), "crashes"),
    };
    let start = Instant::now();
    thread::scope(|scope| {
        for n in 0..args.threads {
            let body = || run.work();
            // A thread that cannot be started is one less.
            let _ = thread::Builder::new()
                .name(format!("torture-{n}"))
                .spawn_scoped(scope, body);
        }
    });
    run.bar.finish_and_clear();
    let time = start.elapsed();
    // Threads of databases that nobody waits for may panic too, and then no seed is to blame alone.
    let stray = panics::take();
    stray.iter().for_each(|said| eprintln!("{said}"));
    let done = run.done.into_inner().unwrap_or_else(PoisonError::into_inner);
    let tally = done.tally;
    let per_s = tally.crashes() as f64 / time.as_secs_f64().max(1e-9);
    report::print(
        args.json,
        &[
            ("first seed", args.seed.into()),
            ("scripts", done.scripts.into()),
            ("crashes", tally.crashes().into()),
            ("crashes in a script", tally.in_script.into()),
            ("crashes after recovery", tally.after_recovery.into()),
            ("crashes in recovery", tally.in_recovery.into()),
            ("crashes after writing on", tally.after_writing.into()),
            ("kills", tally.kills.into()),
            ("failed calls", tally.failed_calls.into()),
            ("failed reads", tally.failed_reads.into()),
            ("full disks", tally.full_disks.into()),
            ("seconds", report::seconds(time)),
            ("crashes per second", (per_s.round() as u64).into()),
            ("scripts with something lost", done.failed.len().into()),
            ("panics beside them", stray.len().into()),
        ],
    );
    done.failed.is_empty() && stray.is_empty()
}

impl Run<'_> {
    fn work(&self) {
        let scratch = Scratch::new();
        while !interrupt::asked_to_stop() && !self.is_done() {
            let seed = self.next.fetch_add(1, Ordering::Relaxed);
            let played = panics::catch(|| case::play(seed, &scratch));
            let said = played.is_none().then(panics::take);
            let mut done = self.done();
            done.scripts += 1;
            match said {
                None => done.tally += played.unwrap_or_default(),
                Some(said) => {
                    done.failed.push(seed);
                    self.bar.suspend(|| {
                        said.iter().for_each(|said| eprintln!("{said}"));
                        eprintln!(
                            "again: cargo run --release -p vdb-torture -- crash --seed {seed} --crashes 1 --threads 1"
                        );
                    });
                }
            }
            self.bar.set_position(done.tally.crashes().min(self.args.crashes));
            self.bar.set_message(format!("({} lost)", done.failed.len()));
        }
    }

    fn is_done(&self) -> bool {
        let done = self.done();
        done.tally.crashes() >= self.args.crashes || done.failed.len() >= ENOUGH_FAILURES
    }

    fn done(&self) -> std::sync::MutexGuard<'_, Done> {
        self.done.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
