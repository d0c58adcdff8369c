//! The gRPC interface of Qdrant, over a [`Service`](crate::service::Service).
//!
//! ```text
//! connection -> entry.rs: guard.rs, intake.rs -> direct.rs or a router -> api.rs -> convert/ -> service -> convert/ -> answer
//! in-process client (../client/) ----------------------------------------^
//! ```
//!
//! | file | what |
//! |---|---|
//! | `server.rs` | serving it on a listener |
//! | `entry.rs` | the way of every call |
//! | `journal.rs` | ids of calls, the log, counts of answers |
//! | `guard.rs`, `names.rs` | who may call what; which collection a message is about |
//! | `intake.rs`, `deadline.rs` | messages, taken in and bounded; how long callers wait |
//! | `direct.rs`, `reply.rs` | calls that are made most often; answers of one message on the wire |
//! | `api.rs` | what answers the calls, whether they come over the wire or from the same process |
//! | `call.rs` | what every call needs |
//! | `collections.rs`, `points/`, `snapshots.rs`, `qdrant.rs` | the calls, a file or folder a service |
//! | `convert/` | messages to the engine's types and back |
//! | `status.rs` | errors |
//! | `inputs.rs` | messages read without answering them |
//! | `reflection.rs` | what the services look like, for tools that ask |
//!
//! The messages and the traits of the services are those of the crate `qdrant-client`, which is ahead of the version of Qdrant
//! that is answered for: fields that came later are refused by name.

mod api;
mod call;
mod collections;
mod convert;
mod deadline;
mod direct;
mod entry;
mod guard;
mod inputs;
mod intake;
mod journal;
mod names;
mod points;
mod qdrant;
mod reflection;
mod reply;
mod server;
mod snapshots;
mod status;

pub(crate) use api::Api;
pub(crate) use inputs::MESSAGES;
pub use server::{ServerOptions, serve};
