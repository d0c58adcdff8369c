//! What a caller may take before anybody knows what he asks: connections, time, bytes.
//!
//! | file | what |
//! |---|---|
//! | `mod.rs` | the limits |
//! | `bodies.rs` | bodies, taken in whole |
//! | `offload.rs` | work on large bodies, off the threads that serve connections |

mod bodies;
mod offload;

use std::time::Duration;

pub(crate) use bodies::{Bodies, BodyProblem, Gathered, Room};
pub(crate) use offload::Offload;

/// Bytes of the largest body of a call of REST, but for uploads of snapshots, where nobody says.
pub const MAX_BODY_BYTES: usize = 32 << 20;

/// Bytes of the largest message of gRPC, before and after it is unpacked, where nobody says.
pub const MAX_MESSAGE_BYTES: usize = 256 << 20;

/// Bytes of the largest message of gRPC of a call that is none of those that bring points. A message may become many times its
/// size when it is read (of a condition, two bytes become hundreds), and no question needs to be so long.
pub(crate) const MAX_QUESTION_BYTES: usize = 32 << 20;

/// Bytes of a body that takes so long to read that other connections must not wait for it.
pub(crate) const LARGE_BODY_BYTES: usize = 256 << 10;

/// Answers of fewer bytes go out as they are to who would take them packed: they fit one packet, and packing takes longer than many
/// a query.
pub(crate) const PACKET: u16 = 1_400;

/// Bytes of the head of a request: its line and its headers.
pub(crate) const MAX_HEAD_BYTES: u32 = 64 << 10;

/// What a caller may take, of each of the two wires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at once; others wait to be accepted.
    pub connections: usize,
    /// Calls of gRPC at once over all connections; others wait for their turn, with their messages at hand.
    pub calls: usize,
    /// Bytes of a body of REST.
    pub body_bytes: usize,
    /// Bytes of a message of gRPC, before and after it is unpacked.
    pub message_bytes: usize,
    /// Bytes of all bodies that are held at once; others wait to be read on.
    pub held_bytes: usize,
    /// How long a caller may be silent who is expected to say something: a greeting, a head, the rest of a body.
    pub patience: Duration,
    /// Bytes of a body that buy a second more.
    pub bytes_a_second: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            connections: 4_096,
            calls: 1_024,
            body_bytes: MAX_BODY_BYTES,
            message_bytes: MAX_MESSAGE_BYTES,
            held_bytes: 1 << 30,
            patience: Duration::from_secs(30),
            bytes_a_second: 64 << 10,
        }
    }
}
