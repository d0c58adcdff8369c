//! Bytes done of bytes to do.

use vdb_index::Control;

use crate::error::{Error, Result};

/// Counts bytes, tells the caller, and asks whether to go on.
#[derive(Debug)]
pub(crate) struct Meter<'a> {
    control: Control<'a>,
    done: u64,
    total: u64,
}

impl<'a> Meter<'a> {
    pub(crate) fn new(control: &Control<'a>, total: u64) -> Self {
        Meter {
            control: *control,
            done: 0,
            total,
        }
    }

    /// Adds bytes to those to be done.
    pub(crate) fn expect(&mut self, bytes: u64) {
        self.total = self.total.saturating_add(bytes);
    }

    /// Counts bytes as done.
    ///
    /// # Errors
    /// [`Error::Cancelled`].
    pub(crate) fn tick(&mut self, bytes: u64) -> Result<()> {
        self.done = self.done.saturating_add(bytes);
        self.control.report(self.done, self.total.max(self.done));
        if self.control.is_cancelled() {
            Err(Error::Cancelled)
        } else {
            Ok(())
        }
    }
}
