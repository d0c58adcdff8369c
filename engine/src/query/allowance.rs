//! What one call may take: time, and memory for its answer.

use vdb_index::Control;
use vdb_sys::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};

use crate::error::{Error, Result};

/// Points looked at between two looks at the clock. A point whose payload is read costs some hundred nanoseconds at
/// least, a look a few tens.
const BEATS_A_LOOK: u32 = 32;

/// What one call may take. Shared by the threads that work for it.
///
/// Once it is used up it stays so, whatever the caller's probe says later: work that was cut short is never taken for
/// finished.
pub(crate) struct Allowance<'a> {
    control: Control<'a>,
    /// What the call does, for the error: "searching".
    doing: &'static str,
    beats: AtomicU32,
    is_over: AtomicBool,
    bytes: AtomicUsize,
    most_bytes: usize,
}

impl<'a> Allowance<'a> {
    pub(crate) fn new(control: Control<'a>, doing: &'static str, most_bytes: usize) -> Self {
        Allowance {
            control,
            doing,
            beats: AtomicU32::new(0),
            is_over: AtomicBool::new(false),
            bytes: AtomicUsize::new(0),
            most_bytes,
        }
    }

    /// For what takes no time and answers with a number.
    pub(crate) fn unlimited() -> Self {
        Allowance::new(Control::none(), "counting", usize::MAX)
    }

    /// The caller's probe, for work that does not know of allowances.
    pub(crate) fn control(&self) -> &Control<'a> {
        &self.control
    }

    /// Fails once the time is up, or the caller wants no more.
    pub(crate) fn check(&self) -> Result<()> {
        if self.is_over.load(Ordering::Relaxed) || self.control.is_cancelled() {
            return Err(self.over());
        }
        Ok(())
    }

    /// As [`check`](Self::check), for loops: looks at the clock now and then only.
    #[inline]
    pub(crate) fn beat(&self) -> Result<()> {
        // Threads may count over each other: they look a little later then.
        let beats = self.beats.load(Ordering::Relaxed).wrapping_add(1);
        self.beats.store(beats, Ordering::Relaxed);
        if beats.is_multiple_of(BEATS_A_LOOK) {
            return self.check();
        }
        Ok(())
    }

    /// The error of a call that was cut short.
    pub(crate) fn over(&self) -> Error {
        self.is_over.store(true, Ordering::Relaxed);
        Error::stopped(&self.control, self.doing)
    }

    /// Accounts for memory that the answer takes, or what leads to it.
    pub(crate) fn take(&self, bytes: usize) -> Result<()> {
        let found = self
            .bytes
            .fetch_add(bytes, Ordering::Relaxed)
            .saturating_add(bytes);
        if found > self.most_bytes {
            return Err(Error::Limit {
                what: "bytes of one answer (ask for fewer points at a time, or for less of each; \
                       DatabaseBuilder::answer_bytes sets the bound)",
                limit: self.most_bytes,
                found,
            });
        }
        Ok(())
    }

    /// Gives back what was accounted for and is not held any more.
    pub(crate) fn give(&self, bytes: usize) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}
