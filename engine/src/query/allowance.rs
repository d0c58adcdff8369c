//! What one call may take: time, and memory for its answer.

use std::cell::Cell;

use vdb_index::Control;
use vdb_sys::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::error::{Error, Result, within};

/// Points looked at between two looks at the clock. A point whose payload is read costs some hundred nanoseconds at
/// least, a look a few tens.
const BEATS_A_LOOK: u32 = 32;

/// Before so many bytes of one value are looked at, the clock is. They take tens of microseconds.
const LONG: usize = 64 << 10;

thread_local! {
    /// Counts what this thread does, for whatever call: what all threads counted in one place would be a line of memory
    /// that they take from each other at every row.
    static BEATS: Cell<u32> = const { Cell::new(0) };
}

/// What one call may take, or one part of it that has a time of its own. Shared by the threads that work for it.
///
/// Once it is used up it stays so, whatever the caller's probe says later: work that was cut short is never taken for
/// finished. What ends one part ends the call.
///
/// Of memory each part counts with the most that it holds at a time, and a call with the sum of its parts. Each part does
/// the same whatever the threads, so a call is refused always or never, though its parts may not meet in memory.
pub(crate) struct Allowance<'a> {
    control: Control<'a>,
    /// What the call does, for the error: "searching".
    doing: &'static str,
    /// The call, for a part of it.
    whole: Option<&'a Allowance<'a>>,
    is_over: AtomicBool,
    /// Bytes held now.
    held: AtomicUsize,
    /// The most that were held at a time.
    peak: AtomicUsize,
    /// The peaks of all parts together.
    counted: AtomicUsize,
    most_bytes: usize,
}

impl<'a> Allowance<'a> {
    pub(crate) fn new(control: Control<'a>, doing: &'static str, most_bytes: usize) -> Self {
        Allowance {
            control,
            doing,
            whole: None,
            is_over: AtomicBool::new(false),
            held: AtomicUsize::new(0),
            peak: AtomicUsize::new(0),
            counted: AtomicUsize::new(0),
            most_bytes,
        }
    }

    /// For what takes no time and answers with a number.
    pub(crate) fn unlimited() -> Self {
        Allowance::new(Control::none(), "counting", usize::MAX)
    }

    /// For a part of the call, which may be stopped by its own `control` besides.
    pub(crate) fn part(&'a self, control: Control<'a>) -> Self {
        Allowance {
            whole: Some(self.whole()),
            ..Allowance::new(control, self.doing, self.most_bytes)
        }
    }

    fn whole(&self) -> &Allowance<'a> {
        self.whole.unwrap_or(self)
    }

    /// Bytes that the answer may take beside what this part of it holds. What other parts hold does not matter, so that it does not
    /// depend on threads.
    pub(crate) fn room(&self) -> usize {
        self.most_bytes.saturating_sub(self.held.load(Ordering::Relaxed))
    }

    /// The caller's probe, for work that does not know of allowances.
    pub(crate) fn control(&self) -> &Control<'a> {
        &self.control
    }

    /// Fails once the time is up, or the caller wants no more.
    pub(crate) fn check(&self) -> Result<()> {
        if self.whole().is_over.load(Ordering::Relaxed) || self.control.is_cancelled() {
            return Err(self.over());
        }
        Ok(())
    }

    /// As [`check`](Self::check), for loops: looks at the clock now and then only.
    #[inline]
    pub(crate) fn beat(&self) -> Result<()> {
        let beats = BEATS.get().wrapping_add(1);
        BEATS.set(beats);
        if beats.is_multiple_of(BEATS_A_LOOK) {
            return self.check();
        }
        Ok(())
    }

    /// As [`beat`](Self::beat), before so many bytes of a point are looked at.
    #[inline]
    pub(crate) fn go_on(&self, bytes: usize) -> Result<()> {
        if bytes >= LONG { self.check() } else { self.beat() }
    }

    /// As [`go_on`](Self::go_on), for who cannot fail.
    #[inline]
    pub(crate) fn goes_on(&self, bytes: usize) -> bool {
        self.go_on(bytes).is_ok()
    }

    /// The error of a call that was cut short. [`Error::Cancelled`] where another part of it failed.
    pub(crate) fn over(&self) -> Error {
        self.whole().is_over.store(true, Ordering::Relaxed);
        Error::stopped(&self.control, self.doing)
    }

    /// Accounts for memory that the answer takes, or what leads to it. One part's takes come in an order that does not
    /// depend on threads.
    pub(crate) fn take(&self, bytes: usize) -> Result<()> {
        let held = self
            .held
            .fetch_add(bytes, Ordering::Relaxed)
            .saturating_add(bytes);
        let grown = held.saturating_sub(self.peak.fetch_max(held, Ordering::Relaxed));
        let whole = self.whole();
        let counted = whole
            .counted
            .fetch_add(grown, Ordering::Relaxed)
            .saturating_add(grown);
        let what = "bytes of one answer (ask for fewer points at a time, or for less of each; \
                    DatabaseBuilder::answer_bytes sets the bound)";
        within(what, self.most_bytes, counted).inspect_err(|_| whole.is_over.store(true, Ordering::Relaxed))
    }

    /// Gives back what was accounted for and is not held any more.
    pub(crate) fn give(&self, bytes: usize) {
        self.held.fetch_sub(bytes, Ordering::Relaxed);
    }
}
