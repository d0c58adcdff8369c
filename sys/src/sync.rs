//! The seam under everything that threads do to each other: locks, condition variables, atomics, threads, the clock.
//!
//! The log and the engine take these from here and from nowhere else. In every ordinary build they *are* those of
//! `parking_lot` and `std`: this module only names them. With the feature `model` they are those of a model checker
//! (`shuttle`), which runs a test under thousands of schedules and finds deadlocks and lost wake-ups;
//! `docs/design.md` says what is checked so. That feature is for the tests of protocols alone: outside of
//! `explore` nothing that is built with it runs.
//!
//! `Arc` and `OnceLock` stay those of `std`. Nobody waits for the first, and no initialiser of the second waits for
//! another thread.

#[cfg(feature = "model")]
mod model;

#[cfg(feature = "model")]
pub use model::{
    Condvar, Instant, Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard, WaitTimeoutResult,
    explore,
};

#[cfg(not(feature = "model"))]
pub use parking_lot::{
    Condvar, Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard, WaitTimeoutResult,
};
#[cfg(not(feature = "model"))]
pub use std::time::Instant;
/// The time of day. No protocol between threads depends on it, so the model checker leaves it alone.
pub use std::time::SystemTime;

/// Integers that several threads change.
pub mod atomic {
    #[cfg(feature = "model")]
    pub use shuttle::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
    #[cfg(not(feature = "model"))]
    pub use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
}

/// Starting threads, and making the present one wait.
pub mod thread {
    #[cfg(feature = "model")]
    pub use shuttle::thread::{Builder, JoinHandle, Thread, current, park, spawn, yield_now};
    #[cfg(not(feature = "model"))]
    pub use std::thread::{Builder, JoinHandle, Thread, current, park, spawn, yield_now};
}
