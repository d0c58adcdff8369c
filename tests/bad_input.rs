//! Is every kind of bad input a typed error with a clear message, and is nothing lost by it?
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "bad_input/files.rs"]
mod files;
#[path = "bad_input/limits.rs"]
mod limits;
#[path = "bad_input/open.rs"]
mod open;
#[path = "bad_input/requests.rs"]
mod requests;
