//! Who watches a migration while it goes on.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What a part of the work is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Points are copied.
    Copy,
    /// Points of both sides are compared.
    Verify,
}

/// What happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A part of the work begins.
    Begun {
        /// Of this collection of the source.
        collection: String,
        /// Which.
        phase: Phase,
        /// Of so many points, about.
        points: u64,
        /// So many of which were done in an earlier run.
        done: u64,
    },
    /// So many more points are done.
    Advanced(u64),
    /// The part that began is over.
    Ended,
    /// Something that a user may want to know.
    Remark(String),
}

/// Who watches a migration: is told what happens, and says whether it is to end.
#[derive(Clone)]
pub struct Watch {
    tell: Arc<dyn Fn(Event) + Send + Sync>,
    stop: Arc<dyn Fn() -> bool + Send + Sync>,
    /// A part has failed, and those beside it are to end.
    failed: Arc<AtomicBool>,
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch")
            .field("failed", &self.failed)
            .finish_non_exhaustive()
    }
}

impl Watch {
    /// `tell` is called from several threads, `stop` often.
    pub fn new(
        tell: impl Fn(Event) + Send + Sync + 'static,
        stop: impl Fn() -> bool + Send + Sync + 'static,
    ) -> Self {
        Watch {
            tell: Arc::new(tell),
            stop: Arc::new(stop),
            failed: Arc::default(),
        }
    }

    /// Nobody watches.
    pub fn silent() -> Self {
        Watch::new(|_| (), || false)
    }

    pub(crate) fn tell(&self, event: Event) {
        (self.tell)(event);
    }

    pub(crate) fn remark(&self, text: impl Into<String>) {
        self.tell(Event::Remark(text.into()));
    }

    /// From now on everything is to end.
    pub(crate) fn fail(&self) {
        self.failed.store(true, Ordering::Relaxed);
    }

    /// Whether the work is to end, because somebody says so or because a part of it has failed.
    pub(crate) fn asked_to_stop(&self) -> bool {
        self.failed.load(Ordering::Relaxed) || (self.stop)()
    }
}
