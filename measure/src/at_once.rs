//! Threads that do the same at once.

use std::sync::Barrier;
use std::time::{Duration, Instant};

/// What calls from several threads took.
pub(crate) struct Calls {
    /// From when all threads are ready until the last of them is done.
    pub(crate) time: Duration,
    /// Of every call.
    pub(crate) micros: Vec<f64>,
}

/// The times of one thread's calls.
pub(crate) struct Timed(Vec<f64>);

impl Timed {
    /// Makes a call and notes how long it took, unless it failed.
    pub(crate) fn call<E>(&mut self, call: impl FnOnce() -> Result<(), E>) -> Result<(), E> {
        let before = Instant::now();
        call()?;
        self.0.push(before.elapsed().as_secs_f64() * 1e6);
        Ok(())
    }
}

/// Runs `work` in so many threads, each with its number, once all of them are ready.
///
/// # Errors
/// The first that `work` answers.
pub(crate) fn at_once<E: Send>(
    threads: usize,
    work: impl Fn(usize, &mut Timed) -> Result<(), E> + Sync,
) -> Result<Calls, E> {
    let ready = Barrier::new(threads);
    let thread = |number: usize| -> Result<(Instant, Instant, Vec<f64>), E> {
        let mut timed = Timed(Vec::new());
        ready.wait();
        let started = Instant::now();
        work(number, &mut timed)?;
        Ok((started, Instant::now(), timed.0))
    };
    let all = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads)
            .map(|number| {
                let thread = &thread;
                scope.spawn(move || thread(number))
            })
            .collect();
        let joined = threads.into_iter().map(|thread| match thread.join() {
            Ok(outcome) => outcome,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        joined.collect::<Result<Vec<_>, E>>()
    })?;
    let started = all.iter().map(|(started, _, _)| *started).min();
    let ended = all.iter().map(|(_, ended, _)| *ended).max();
    let time = ended.zip(started).map(|(ended, started)| ended - started);
    Ok(Calls {
        time: time.unwrap_or_default(),
        micros: all.into_iter().flat_map(|(_, _, micros)| micros).collect(),
    })
}
