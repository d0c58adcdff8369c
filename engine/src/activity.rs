//! What goes on with a collection behind its users' backs, for `info`.

use std::time::Duration;

use vdb_sys::sync::{Instant, Mutex};

#[derive(Debug, Default)]
struct State {
    now: Option<&'static str>,
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

impl Activity {
    pub(crate) fn start(&self, job: &'static str) {
        let mut state = self.0.lock();
        *state = State {
            now: Some(job),
            sweep_failed: state.sweep_failed.take(),
            ..State::default()
        };
    }

    pub(crate) fn set_progress(&self, done: u64, total: u64) {
        let mut state = self.0.lock();
        (state.done, state.total) = (done, total);
    }

    pub(crate) fn finish(&self) {
        self.0.lock().now = None;
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
        state.now.map(|job| Progress {
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
