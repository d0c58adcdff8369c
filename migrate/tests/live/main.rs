//! Migrations as they happen: between servers of our own, over gRPC, and directories; cut off at random and gone on with; against
//! sides that refuse, lie, and go away.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod fixture;
mod hostile;
mod resuming;
mod there;
mod ways;
