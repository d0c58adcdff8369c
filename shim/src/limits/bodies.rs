//! Bodies, taken in whole before anything else is done for their call: one that does not come holds up nobody.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Poll, ready};
use std::time::Duration;

use axum::BoxError;
use axum::body::{Body, Bytes, HttpBody};
use futures_util::stream::{StreamExt as _, unfold};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout, timeout_at};

use super::Limits;

/// Bytes that room is counted in.
const UNIT: usize = 1 << 10;

/// Why a body is not taken in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BodyProblem {
    #[error("it is larger than allowed (limit: {limit} bytes)")]
    TooLarge { limit: usize },
    #[error("it did not come in the time that it may take")]
    Late,
    #[error("there is no room for it beside the bodies of other calls: try again, or send less at once")]
    NoRoom,
    #[error("{0}")]
    Broken(String),
}

/// Takes in bodies, as many bytes at once as there is room for.
#[derive(Clone, Debug)]
pub(crate) struct Bodies {
    room: Arc<Semaphore>,
    units: usize,
    max: usize,
    patience: Duration,
    bytes_a_second: u64,
}

/// A body that is there, and the room that it takes until this is dropped.
#[derive(Debug)]
pub(crate) struct Gathered {
    pub(crate) bytes: Bytes,
    pub(crate) room: Room,
}

/// Room that is taken.
#[derive(Debug, Default)]
pub(crate) struct Room(Option<OwnedSemaphorePermit>);

impl Room {
    fn units(&self) -> usize {
        self.0.as_ref().map_or(0, OwnedSemaphorePermit::num_permits)
    }

    fn add(&mut self, more: OwnedSemaphorePermit) {
        match &mut self.0 {
            Some(held) => held.merge(more),
            none => *none = Some(more),
        }
    }
}

/// Whether a body has been read to its end.
#[derive(Clone, Debug, Default)]
pub(crate) struct End(Arc<AtomicBool>);

impl End {
    pub(crate) fn is_reached(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// What has come of a body. Most come in one part, which is kept as it is.
#[derive(Debug, Default)]
struct Whole {
    /// The first part, while it is alone.
    first: Bytes,
    /// All of them.
    parts: Vec<u8>,
}

impl Whole {
    fn bytes(&self) -> &[u8] {
        if self.parts.is_empty() {
            &self.first
        } else {
            &self.parts
        }
    }

    /// Adds a part to a body that is known to have so many bytes.
    fn add(&mut self, part: Bytes, known: usize) {
        if self.bytes().is_empty() {
            self.first = part;
            return;
        }
        if self.parts.is_empty() {
            self.parts.reserve(known.max(self.first.len() + part.len()));
            self.parts.extend_from_slice(&std::mem::take(&mut self.first));
        }
        self.parts.extend_from_slice(&part);
    }
}

impl From<Whole> for Bytes {
    fn from(whole: Whole) -> Self {
        if whole.parts.is_empty() {
            whole.first
        } else {
            whole.parts.into()
        }
    }
}

/// The next bytes of a body; what is behind them is nobody's concern.
async fn next<B>(body: &mut B) -> Option<Result<Bytes, BoxError>>
where
    B: HttpBody<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    poll_fn(|context| {
        loop {
            let frame = match ready!(Pin::new(&mut *body).poll_frame(context)) {
                Some(Ok(frame)) => frame,
                Some(Err(error)) => return Poll::Ready(Some(Err(error.into()))),
                None => return Poll::Ready(None),
            };
            if let Ok(bytes) = frame.into_data() {
                return Poll::Ready(Some(Ok(bytes)));
            }
        }
    })
    .await
}

impl Bodies {
    /// Bodies of at most so many bytes.
    pub(crate) fn new(max: usize, limits: &Limits) -> Self {
        // One of the largest must fit.
        let units = limits.held_bytes.max(max).div_ceil(UNIT).min(u32::MAX as usize);
        Bodies {
            room: Arc::new(Semaphore::new(units)),
            units,
            max,
            patience: limits.patience,
            bytes_a_second: limits.bytes_a_second.max(1),
        }
    }

    /// The whole body. It may take a while to begin with, and more the more of it has come.
    pub(crate) async fn gather(&self, body: Body) -> Result<Gathered, BodyProblem> {
        self.gather_at_most(body, self.max, |_| None).await
    }

    /// As [`gather`](Self::gather), with a limit of its own, for bodies that may say in their first bytes how long they are.
    ///
    /// Where the length is known, room for all of it is taken at once: bodies that hold some and wait for more could all wait
    /// for each other.
    pub(crate) async fn gather_at_most<B>(
        &self,
        mut body: B,
        max: usize,
        announced: fn(&[u8]) -> Option<usize>,
    ) -> Result<Gathered, BodyProblem>
    where
        B: HttpBody<Data = Bytes> + Unpin,
        B::Error: Into<BoxError>,
    {
        let max = max.min(self.max);
        let too_large = || BodyProblem::TooLarge { limit: max };
        let size = body.size_hint();
        if size.lower() > max as u64 {
            return Err(too_large());
        }
        let (mut whole, mut room) = (Whole::default(), Room::default());
        if body.is_end_stream() {
            let bytes = whole.into();
            return Ok(Gathered { bytes, room });
        }
        let mut known = size.exact().and_then(|bytes| usize::try_from(bytes).ok());
        self.widen(&mut room, known.unwrap_or(0)).await?;
        let mut started = Instant::now();
        loop {
            let earned = Duration::from_secs(whole.bytes().len() as u64 / self.bytes_a_second);
            let end = started + self.patience + earned;
            let part = timeout_at(end, next(&mut body))
                .await
                .map_err(|_| BodyProblem::Late)?;
            let Some(part) = part else { break };
            let part = part.map_err(|error| BodyProblem::Broken(error.to_string()))?;
            let len = whole.bytes().len() + part.len();
            if len > max {
                return Err(too_large());
            }
            whole.add(part, known.unwrap_or(0));
            if known.is_none() {
                known = announced(whole.bytes());
                if known.is_some_and(|known| known > max) {
                    return Err(too_large());
                }
            }
            // That there was no room is not what the caller is waited for.
            started += self.widen(&mut room, known.unwrap_or(0).max(len)).await?;
        }
        let bytes = whole.into();
        Ok(Gathered { bytes, room })
    }

    /// Room for as many bytes as a body may have when it is unpacked.
    pub(crate) async fn make_room(&self, room: &mut Room, bytes: usize) -> Result<(), BodyProblem> {
        self.widen(room, bytes.min(self.max)).await.map(drop)
    }

    /// Makes a room as large as this, waiting for others to leave theirs for as long as there is patience. How long that took.
    async fn widen(&self, room: &mut Room, bytes: usize) -> Result<Duration, BodyProblem> {
        let wanted = bytes.div_ceil(UNIT).min(self.units);
        let more = wanted.saturating_sub(room.units());
        if more == 0 {
            return Ok(Duration::ZERO);
        }
        let more = u32::try_from(more).unwrap_or(u32::MAX);
        if let Ok(more) = self.room.clone().try_acquire_many_owned(more) {
            room.add(more);
            return Ok(Duration::ZERO);
        }
        let waiting = Instant::now();
        let taken = timeout(self.patience, self.room.clone().acquire_many_owned(more)).await;
        match taken {
            Ok(Ok(more)) => {
                room.add(more);
                Ok(waiting.elapsed())
            }
            Ok(Err(_)) | Err(_) => Err(BodyProblem::NoRoom),
        }
    }

    /// A body of any size that is read as it comes, and ends with an error when its caller is silent for too long; and its end.
    pub(crate) fn paced(&self, body: Body) -> (Body, End) {
        let patience = self.patience;
        let end = End::default();
        let reached = end.clone();
        let parts = unfold(
            Some((body.into_data_stream(), reached)),
            move |parts| async move {
                let (mut parts, reached) = parts?;
                match timeout(patience, parts.next()).await {
                    Ok(None) => {
                        reached.0.store(true, Ordering::Relaxed);
                        None
                    }
                    Ok(Some(Ok(part))) => Some((Ok(part), Some((parts, reached)))),
                    Ok(Some(Err(error))) => Some((Err(BoxError::from(error)), None)),
                    Err(_) => Some((Err(BoxError::from(BodyProblem::Late)), None)),
                }
            },
        );
        (Body::from_stream(parts), end)
    }
}

#[cfg(test)]
mod tests;
