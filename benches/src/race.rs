//! Systems in one process, asked in turns: a pass of each, over and over, so that a machine that is slow for a while is
//! slow for all of them.

use vdb_measure::{Measured, Plan, Setting, Stopwatch};

use crate::error::Result;
use crate::system::{Question, System};

/// Questions with their true neighbours.
#[derive(Clone, Copy, Debug)]
pub struct Questions<'a> {
    /// What is asked.
    pub vectors: &'a [Vec<f32>],
    /// The true neighbours of each, as many as are asked for.
    pub truth: &'a [Vec<u64>],
    /// How many neighbours are asked for.
    pub limit: usize,
    /// Which rows count, in Qdrant's JSON.
    pub filter: Option<&'a serde_json::Value>,
}

/// What right answers are.
#[derive(Clone, Copy, Debug)]
pub struct Truth<'a> {
    /// What each answer may have; more than is asked for where several are as good.
    pub answers: &'a [Vec<u64>],
    /// How much of that all answers together should have.
    pub wanted: usize,
}

/// Asks one system everything once.
type Pass<'a> = Box<dyn FnMut(&mut Stopwatch) -> Result<()> + 'a>;

/// One system in a race, whatever its type.
pub struct Runner<'a> {
    watch: Stopwatch,
    pass: Pass<'a>,
}

impl<'a> Runner<'a> {
    /// A system that is asked these questions with this setting. They are made ready, and the first of them asked
    /// without being timed.
    pub fn new<S: System>(
        system: &'a S,
        setting: Setting,
        questions: Questions<'a>,
        plan: &Plan,
    ) -> Result<Self> {
        let requests = questions.vectors.iter().map(|vector| {
            system.request(&Question {
                vector,
                limit: questions.limit,
                setting,
                filter: questions.filter,
            })
        });
        let truth = Truth {
            answers: questions.truth,
            wanted: questions.truth.iter().map(Vec::len).sum(),
        };
        let requests = requests.collect::<Result<Vec<_>>>()?;
        Runner::of(requests, move |request| system.ask(request), truth, false, plan)
    }

    /// Whoever answers requests that are ready, the first of them without being timed. The time of every call is kept.
    pub fn asking<R: Clone + 'a>(
        requests: Vec<R>,
        ask: impl Fn(R) -> Result<Vec<u64>> + 'a,
        truth: Truth<'a>,
        plan: &Plan,
    ) -> Result<Self> {
        Runner::of(requests, ask, truth, true, plan)
    }

    fn of<R: Clone + 'a>(
        requests: Vec<R>,
        ask: impl Fn(R) -> Result<Vec<u64>> + 'a,
        truth: Truth<'a>,
        keep: bool,
        plan: &Plan,
    ) -> Result<Self> {
        for request in requests.iter().take(plan.warm_up) {
            ask(request.clone())?;
        }
        let watch = Stopwatch::new(requests.len(), truth.wanted, keep);
        let right = move |query: usize, found: Vec<u64>| {
            let good = truth.answers.get(query).map_or(&[][..], Vec::as_slice);
            found.iter().filter(|id| good.contains(id)).count()
        };
        let pass = move |watch: &mut Stopwatch| watch.pass(|query| requests[query].clone(), &ask, right);
        Ok(Runner {
            watch,
            pass: Box::new(pass),
        })
    }
}

/// Runs all of them in turns until the plan is fulfilled for each; what each came to, in their order.
pub fn race(mut runners: Vec<Runner<'_>>, plan: &Plan) -> Result<Vec<Measured>> {
    while runners.iter().any(|runner| !runner.watch.is_done(plan)) {
        for runner in runners.iter_mut().filter(|runner| !runner.watch.is_done(plan)) {
            (runner.pass)(&mut runner.watch)?;
        }
    }
    Ok(runners.into_iter().map(|runner| runner.watch.finish()).collect())
}

#[cfg(test)]
mod tests;
