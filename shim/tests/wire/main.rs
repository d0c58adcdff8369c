//! What goes over the wire: the same calls through the client in the process and through a server with the official client,
//! and what only a server has.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod access;
mod ahead;
mod collections;
mod fixture;
mod queries;
mod random;
mod refusals;
mod server;
mod slow;
mod tls;
mod writes;
