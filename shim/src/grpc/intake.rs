//! Messages are taken in, and bounded, before their calls take a turn.

use std::time::Duration;

use axum::BoxError;
use axum::body::{Bytes, HttpBody};
use tokio::sync::{Semaphore, SemaphorePermit};
use tonic::Status;

use crate::limits::{
    Bodies, BodyProblem, Gathered, LARGE_BODY_BYTES, Limits, MAX_QUESTION_BYTES, Offload, Room,
};
use crate::service::{ErrorKind, ServiceError};

/// What paths of the services with messages of any size begin with. Others have small ones, which bound themselves, or several.
const SERVICES: [&str; 3] = ["/qdrant.Collections/", "/qdrant.Points/", "/qdrant.Snapshots/"];

/// Calls that bring points. Their messages are as large as points are many; others are held to [`MAX_QUESTION_BYTES`].
pub(super) const BULK: [&str; 5] = [
    "/qdrant.Points/Upsert",
    "/qdrant.Points/UpdateBatch",
    "/qdrant.Points/UpdateVectors",
    "/qdrant.Points/SetPayload",
    "/qdrant.Points/OverwritePayload",
];

/// Bytes that a packed one may stand for: no stream of deflate does better (RFC 1951 codes 258 bytes in two bits at best).
const MOST_UNPACKED: usize = 1_032;

/// Bytes before a message: whether it is packed, and its length.
pub(super) const HEAD: usize = 5;

/// Bytes of a packed message that may take so long to unpack that other connections must not wait for it.
const LARGE_PACKED_BYTES: usize = 4 << 10;

/// Takes in messages, and gives turns to their calls.
#[derive(Debug)]
pub(super) struct Intake {
    bodies: Bodies,
    turns: Semaphore,
    offload: Offload,
}

/// A message that is there.
#[derive(Debug)]
pub(super) struct Message {
    /// With its head.
    pub(super) bytes: Bytes,
    /// Whether it is packed.
    pub(super) packed: bool,
    /// What it takes, and what is made of it, until this is dropped.
    pub(super) room: Room,
}

impl Message {
    /// Whether it takes so long to read that other connections must not wait for it.
    pub(super) fn is_large(&self) -> bool {
        let large = if self.packed {
            LARGE_PACKED_BYTES
        } else {
            LARGE_BODY_BYTES
        };
        self.bytes.len() >= large
    }
}

impl Intake {
    pub(super) fn new(limits: &Limits) -> Self {
        Intake {
            bodies: Bodies::new(limits.message_bytes, limits),
            turns: Semaphore::new(limits.calls.max(1)),
            offload: Offload::new(),
        }
    }

    /// Whether calls of this path bring one message, which may be of any size.
    pub(super) fn takes_in(path: &str) -> bool {
        SERVICES.iter().any(|service| path.starts_with(service))
    }

    /// The message that a call of this path brings.
    pub(super) async fn message<B>(&self, path: &str, body: B) -> Result<Message, Status>
    where
        B: HttpBody<Data = Bytes> + Unpin,
        B::Error: Into<BoxError>,
    {
        let refuse = |problem: BodyProblem| refused(&problem);
        let max = if BULK.contains(&path) {
            usize::MAX
        } else {
            MAX_QUESTION_BYTES
        };
        let gathered = self
            .bodies
            .gather_at_most(body, HEAD.saturating_add(max), announced);
        let Gathered { bytes, mut room } = gathered.await.map_err(refuse)?;
        let packed = is_packed(&bytes)?;
        if packed {
            let most = bytes.len().saturating_mul(MOST_UNPACKED).min(max);
            let made = self.bodies.make_room(&mut room, most).await;
            made.map_err(refuse)?;
        }
        Ok(Message { bytes, packed, room })
    }

    /// The turn of a call, over when it is dropped.
    pub(super) async fn turn(&self) -> Result<SemaphorePermit<'_>, Status> {
        let turn = self.turns.acquire().await;
        turn.map_err(|_| Status::unavailable("the service is shutting down"))
    }

    /// What `work` gives. It begins on another thread if its message is `large`.
    pub(super) async fn begin<F>(&self, large: bool, work: F) -> Result<F::Output, Status>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        if !large {
            return Ok(work.await);
        }
        let done = self.offload.begin(work).await;
        done.ok_or_else(|| Status::internal("the call failed unexpectedly"))
    }
}

/// How long a body is of which these are the first bytes, if it is one message.
fn announced(body: &[u8]) -> Option<usize> {
    let (&[_, ref len @ ..], _) = body.split_first_chunk::<HEAD>()?;
    Some(HEAD.saturating_add(length(*len)))
}

fn length(bytes: [u8; 4]) -> usize {
    bytes
        .iter()
        .fold(0usize, |len, &byte| (len << 8) | usize::from(byte))
}

/// Whether the message is packed that is all there is in a body. More than one would be unpacked, one after the other, to be
/// thrown away.
fn is_packed(body: &[u8]) -> Result<bool, Status> {
    let Some((&[flag, ref len @ ..], message)) = body.split_first_chunk::<HEAD>() else {
        return Err(Status::invalid_argument(
            "the message cannot be read: there is none",
        ));
    };
    if length(*len) != message.len() {
        let problem = "the message cannot be read: it does not have the length that it says, or is not alone";
        return Err(Status::invalid_argument(problem));
    }
    Ok(flag != 0)
}

fn refused(problem: &BodyProblem) -> Status {
    let text = format!("the message cannot be read: {problem}");
    let kind = match problem {
        BodyProblem::TooLarge { .. } => return Status::resource_exhausted(text),
        BodyProblem::Late => ErrorKind::Timeout,
        BodyProblem::NoRoom => ErrorKind::RateLimited {
            retry_after: Duration::from_secs(1),
        },
        BodyProblem::Broken(_) => ErrorKind::BadRequest,
    };
    ServiceError::new(kind, text).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_one_message() {
        assert!(!is_packed(&[0, 0, 0, 0, 2, 8, 9]).unwrap());
        assert!(is_packed(&[1, 0, 0, 0, 0]).unwrap());
        for wrong in [
            &[][..],
            &[0, 0, 0, 0],
            &[0, 0, 0, 0, 3, 8, 9],
            &[0, 0, 0, 0, 1, 8, 9],
            &[0, 255, 255, 255, 255, 8],
            &[0, 0, 0, 0, 0, 1, 0, 0, 0, 0],
        ] {
            assert!(is_packed(wrong).is_err(), "{wrong:?}");
        }
    }
    #[test]
    fn a_message_says_how_long_it_is() {
        assert_eq!(announced(&[0, 0, 0, 1]), None);
        assert_eq!(announced(&[0, 0, 0, 1, 2, 9]), Some(HEAD + 258));
    }
}
