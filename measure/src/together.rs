//! Several threads that ask at once, against one thread alone.

use std::time::Duration;

use crate::at_once::{Calls, at_once};
use crate::timing::{Measured, Plan};

/// What so many threads came to in their best pass.
#[derive(Clone, Debug, PartialEq)]
pub struct Together {
    /// How many asked at once.
    pub clients: usize,
    /// Questions a second of all of them together, and the times of all calls of that pass.
    pub measured: Measured,
}

/// Asks with each number of clients in turns, a pass of each over and over, until the plan is fulfilled for each: a
/// machine that is slow for a while is slow for all. In a pass every client asks all `questions`, each beginning at
/// another, and the pass takes as long as the slowest client. `ask` asks one, by its number.
///
/// Recall is not counted: `recall` is told as it is given.
///
/// # Errors
/// The first that `ask` answers.
pub fn in_turns<E: Send>(
    clients: &[usize],
    questions: usize,
    recall: f64,
    plan: &Plan,
    ask: impl Fn(usize) -> Result<(), E> + Sync,
) -> Result<Vec<Together>, E> {
    for question in 0..plan.warm_up.min(questions) {
        ask(question)?;
    }
    let mut best: Vec<Option<Calls>> = clients.iter().map(|_| None).collect();
    let (mut passes, mut spent) = (0, Duration::ZERO);
    while passes < plan.passes || spent < plan.time {
        // What the plan asks for is asked of each, so the shortest counts.
        let mut shortest = Duration::MAX;
        for (best, clients) in best.iter_mut().zip(clients) {
            let pass = pass(*clients, questions, &ask)?;
            shortest = shortest.min(pass.time);
            if best.as_ref().is_none_or(|best| pass.time < best.time) {
                *best = Some(pass);
            }
        }
        passes += 1;
        spent += shortest;
    }
    let told = clients.iter().zip(best).filter_map(|(clients, best)| {
        let best = best?;
        let asked = best.micros.len() as f64;
        let qps = asked / best.time.as_secs_f64().max(1e-9);
        Some(Together {
            clients: *clients,
            measured: Measured {
                qps: crate::rounded(qps, 1),
                ..Measured::of(best.micros, recall, passes)
            },
        })
    });
    Ok(told.collect())
}

fn pass<E: Send>(
    clients: usize,
    questions: usize,
    ask: &(impl Fn(usize) -> Result<(), E> + Sync),
) -> Result<Calls, E> {
    at_once(clients, |number, timed| {
        let first = number * questions / clients.max(1);
        let mut asked = (first..questions).chain(0..first);
        asked.try_for_each(|question| timed.call(|| ask(question)))
    })
}

#[cfg(test)]
mod tests;
