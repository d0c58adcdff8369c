//! A Qdrant server under load: rows are uploaded, the index is waited for, queries are asked over several connections.
//!
//! ```text
//! Dataset -> Server (gRPC or REST): create, index, upload, status -> green
//!         -> Connection x 1, 4, 16: queries handed out one by one -> vdb_measure::Line
//!         -> Writer: batches from 1 and 16 threads, each waiting for its answer -> vdb_measure::IngestLine
//! ```
//!
//! | file | what |
//! |---|---|
//! | `server.rs` | what a server is asked, whatever the transport: [`Server`], [`Connection`] |
//! | `grpc.rs` | over gRPC, with Qdrant's own client |
//! | `rest.rs` | over REST |
//! | `load.rs` | several connections at once: speed, percentiles, recall |
//! | `course.rs` | all of it in order |
//! | `main.rs` | the command line |
//! | `own.rs` | a server of ours that is started, stopped and killed |
//! | `told.rs` | what the programs print |
//! | `ops/`, `operate.rs` | many collections, load, kills, what a call costs; their command line |

#![forbid(unsafe_code)]

mod course;
mod grpc;
mod load;
mod ops;
mod own;
mod rest;
mod server;
mod told;

pub use course::{Course, Sink, run, write};
pub use grpc::Grpc;
pub use ops::{
    CallLine, Cores, Floor, FloorLine, Kill, KillLine, Load, LoadLine, Many, ManyLine, Speaker, Transport,
    floor, kill, load, many, random,
};
pub use own::{Held, Launch, Own, disk_bytes, served_by};
pub use rest::Rest;
pub use server::{Connection, Params, Server, State};
pub use told::tell;
