//! What do programs written for Qdrant speak? This crate answers them in their own words, from the embedded engine.
//!
//! ```text
//! REST (rest/) --.
//!                +--> service/: what a call means, in the engine's terms --> vdb (the engine)
//! gRPC          -'
//! ```
//!
//! The wire decides how a call is spelled, `service/` what it means: validation, errors and their texts, waiting, defaults
//! that depend on a collection, snapshots. Nothing of Qdrant's vocabulary reaches the engine.
//!
//! | file | what |
//! |---|---|
//! | `service/` | what each call means |
//! | `rest/` | REST |

#![forbid(unsafe_code)]

pub mod rest;
pub mod service;
