//! Several connections at once: how many queries a second, how long each takes, how good the answers are.

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Instant;

use vdb_benches::Result;
use vdb_measure::{Measured, rounded};

use crate::server::Connection;

/// Asks every question, which each connection has prepared, `passes` times. Whoever is free takes the next. Recall is that
/// of when each query was asked first, speed that of all connections together, and all calls count.
pub(crate) fn load(
    connections: &mut [Box<dyn Connection + '_>],
    truth: &[Vec<u64>],
    passes: usize,
) -> Result<Measured> {
    let calls = truth.len() * passes;
    let next = AtomicUsize::new(0);
    let ready = Barrier::new(connections.len());
    let work = |connection: &mut Box<dyn Connection + '_>| {
        // Connected, and what is loaded on first use is loaded.
        let warm = connection.ask(0);
        ready.wait();
        let started = Instant::now();
        warm?;
        let (mut times, mut hits) = (Vec::new(), 0);
        loop {
            let call = next.fetch_add(1, Relaxed);
            if call >= calls {
                return Ok::<_, vdb_benches::Error>((started, Instant::now(), times, hits));
            }
            let question = call % truth.len();
            let before = Instant::now();
            let found = connection.ask(question)?;
            times.push(before.elapsed().as_secs_f64() * 1e6);
            if call < truth.len() {
                hits += found.iter().filter(|id| truth[question].contains(id)).count();
            }
        }
    };
    let done: Vec<_> = std::thread::scope(|scope| {
        let workers: Vec<_> = connections
            .iter_mut()
            .map(|connection| scope.spawn(|| work(connection)))
            .collect();
        workers
            .into_iter()
            .map(|worker| {
                worker
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
            .collect()
    });
    let (mut times, mut hits, mut span) = (Vec::new(), 0, None);
    for part in done {
        let (started, ended, part, found) = part?;
        let (first, last) = span.unwrap_or((started, ended));
        span = Some((first.min(started), last.max(ended)));
        times.extend(part);
        hits += found;
    }
    let seconds = span.map_or(f64::NAN, |(first, last)| last.duration_since(first).as_secs_f64());
    let wanted: usize = truth.iter().map(Vec::len).sum();
    let recall = hits as f64 / wanted.max(1) as f64;
    Ok(Measured {
        qps: rounded(times.len() as f64 / seconds, 1),
        ..Measured::of(times, recall, passes)
    })
}
