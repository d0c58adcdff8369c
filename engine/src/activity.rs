//! What goes on with a collection behind its users' backs, for `info`.

use std::collections::VecDeque;
use std::time::Duration;

use vdb_sys::sync::{Instant, Mutex};

/// So many of the last jobs that were done are told of.
const KEPT: usize = 16;

#[derive(Debug, Default)]
struct State {
    now: Option<(&'static str, Instant)>,
    /// What was done, when it was finished, and how long it took; the last one first.
    finished: VecDeque<(&'static str, Instant, Duration)>,
    /// How many there were in all.
    count: u64,
    done: u64,
    total: u64,
    failed: Option<(Instant, String)>,
    /// Why points whose time is past could not be deleted. Other jobs neither wait for that nor make up for it.
    sweep_failed: Option<String>,
}

/// The present job and the last failure.
#[derive(Debug, Default)]
pub(crate) struct Activity(Mutex<State>);

/// A job in the background.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is done.
    pub job: &'static str,
    /// Rows done.
    pub done: u64,
    /// Rows in all; 0 while unknown.
    pub total: u64,
}

/// A job that was done in the background.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FinishedJob {
    /// Its number among those of the collection since that was opened, from 1 on.
    pub number: u64,
    /// What was done.
    pub job: &'static str,
    /// How long ago it was finished.
    pub ago: Duration,
    /// How long it took.
    pub took: Duration,
}

impl Activity {
    pub(crate) fn start(&self, job: &'static str) {
        let mut state = self.0.lock();
        *state = State {
            now: Some((job, Instant::now())),
            finished: std::mem::take(&mut state.finished),
            count: state.count,
            sweep_failed: state.sweep_failed.take(),
            ..State::default()
        };
    }

    pub(crate) fn set_progress(&self, done: u64, total: u64) {
        let mut state = self.0.lock();
        (state.done, state.total) = (done, total);
    }

    /// The present job is over; `done` if it came to its end.
    pub(crate) fn finish(&self, done: bool) {
        let mut state = self.0.lock();
        if let Some((job, begun)) = state.now.take()
            && done
        {
            state.count += 1;
            state.finished.truncate(KEPT - 1);
            state.finished.push_front((job, Instant::now(), begun.elapsed()));
        }
    }

    /// The last jobs that were done, the last one first.
    pub(crate) fn finished(&self) -> Vec<FinishedJob> {
        let state = self.0.lock();
        let numbers = (1..=state.count).rev();
        let told = |(&(job, at, took), number): (&(&'static str, Instant, Duration), u64)| FinishedJob {
            number,
            job,
            ago: at.elapsed(),
            took,
        };
        state.finished.iter().zip(numbers).map(told).collect()
    }

    pub(crate) fn fail(&self, why: String) {
        let mut state = self.0.lock();
        state.now = None;
        state.failed = Some((Instant::now(), why));
    }

    /// How the last deletion of points whose time is past has ended.
    pub(crate) fn swept(&self, failure: Option<String>) {
        self.0.lock().sweep_failed = failure;
    }

    /// Nothing is left to do of what failed.
    pub(crate) fn make_up(&self) {
        self.0.lock().failed = None;
    }

    pub(crate) fn failed_within(&self, time: Duration) -> bool {
        self.0
            .lock()
            .failed
            .as_ref()
            .is_some_and(|(at, _)| at.elapsed() < time)
    }

    pub(crate) fn progress(&self) -> Option<Progress> {
        let state = self.0.lock();
        state.now.map(|(job, _)| Progress {
            job,
            done: state.done,
            total: state.total,
        })
    }

    pub(crate) fn failure(&self) -> Option<String> {
        let state = self.0.lock();
        let failed = state.failed.as_ref().map(|(_, why)| why);
        failed.or(state.sweep_failed.as_ref()).cloned()
    }
}

#[cfg(test)]
mod tests;
