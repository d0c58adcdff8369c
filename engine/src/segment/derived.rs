//! A file that was derived from vectors, for as long as it is of use.

use std::sync::Arc;

use vdb_sys::sync::atomic::{AtomicBool, Ordering};

/// A derived file, if there is one that can be used. Once a search has found it damaged it is not used any more, by whoever has a
/// copy of this, and gets rebuilt.
#[derive(Debug)]
pub(super) struct Derived<T> {
    file: Option<Arc<T>>,
    damaged: Arc<AtomicBool>,
}

impl<T> Derived<T> {
    pub(super) fn new(file: Option<T>) -> Self {
        Derived {
            file: file.map(Arc::new),
            damaged: Arc::default(),
        }
    }

    /// The file, unless it is missing or damaged.
    pub(super) fn get(&self) -> Option<&T> {
        self.file.as_deref().filter(|_| !self.is_damaged())
    }

    /// Keeps searches from it until it has been rebuilt.
    pub(super) fn set_damaged(&self) {
        self.damaged.store(true, Ordering::Release);
    }

    pub(super) fn is_damaged(&self) -> bool {
        self.damaged.load(Ordering::Acquire)
    }
}

impl<T> Clone for Derived<T> {
    fn clone(&self) -> Self {
        Derived {
            file: self.file.clone(),
            damaged: self.damaged.clone(),
        }
    }
}
