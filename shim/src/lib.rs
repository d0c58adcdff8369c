//! What do programs written for Qdrant speak? This crate answers them in their own words, from the embedded engine.
//!
//! ```text
//! REST (rest/) --.
//!                +--> service/: what a call means, in the engine's terms --> vdb (the engine)
//! gRPC (grpc/) -'
//!      ^
//!      '--- Rust, in the same process (client/)
//! ```
//!
//! The wire decides how a call is spelled, `service/` what it means: validation, errors and their texts, waiting, defaults
//! that depend on a collection, snapshots. Nothing of Qdrant's vocabulary reaches the engine.
//!
//! | file | what |
//! |---|---|
//! | `service/` | what each call means |
//! | `rest/` | REST |
//! | `config/` | settings of a server, from files and the environment |
//! | `limits/`, `tls/` | what callers may take; certificates |
//! | `connections.rs` | connections, of both wires |
//! | `server.rs` | a process that answers |
//! | `grpc/` | the gRPC interface |
//! | `client/` | the client of a Rust program, on a directory or on a server |
//! | `inference.rs` | vectors made of texts |
//! | `tally.rs`, `process.rs`, `request_ids.rs` | counts of answers; what the system tells of the process; ids of requests |
//! | `inputs.rs`, `inputs/` | what calls are given, read without answering it: for fuzzing |
//! | `logged.rs` | what is logged: for tests |

#![forbid(unsafe_code)]

pub mod client;
pub mod config;
mod connections;
pub mod grpc;
pub mod inference;
#[doc(hidden)]
pub mod inputs;
pub mod limits;
#[cfg(test)]
mod logged;
mod process;
mod request_ids;
pub mod rest;
pub mod server;
pub mod service;
mod tally;
pub mod tls;

pub use client::{Qdrant, blocking};
