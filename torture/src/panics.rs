//! Checks fail by panicking, in whatever thread: what they say is kept instead of printed.

use std::panic::{self, AssertUnwindSafe};
use std::sync::Mutex;

static HEARD: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn heard() -> std::sync::MutexGuard<'static, Vec<String>> {
    HEARD.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// From now on panics are kept, with the thread and the place.
pub(crate) fn keep() {
    panic::set_hook(Box::new(|info| {
        let thread = std::thread::current().name().unwrap_or("a thread").to_owned();
        heard().push(format!("{thread}: {info}"));
    }));
}

/// What panicked since the last call, threads that nobody waits for included.
pub(crate) fn take() -> Vec<String> {
    std::mem::take(&mut *heard())
}

/// What `body` returns; `None` when it panicked.
pub(crate) fn catch<T>(body: impl FnOnce() -> T) -> Option<T> {
    // What a case has made is dropped with it: nobody sees it half done.
    panic::catch_unwind(AssertUnwindSafe(body)).ok()
}
