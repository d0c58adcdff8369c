//! Which failures are tried again, and when.

use std::time::Duration;

use qdrant_client::QdrantError;
use tonic::{Code, Status};

use crate::error::{MigrateError, Result};
use crate::watch::Watch;

/// The longest wait that a server may ask for.
const LONGEST: Duration = Duration::from_secs(120);
/// How often a wait looks whether somebody asked for the end.
const LOOK: Duration = Duration::from_millis(100);

/// How failures that may pass are met: a server that starts again, a limit of calls a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// How often a call is tried again before it has failed.
    pub retries: u32,
    /// How long after the first failure; twice as long after each further one.
    pub first: Duration,
    /// At most so long, unless the server names a time.
    pub most: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Patience {
            retries: 8,
            first: Duration::from_millis(500),
            most: Duration::from_secs(30),
        }
    }
}

/// What is to be made of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It may pass: again, after the time that the server names.
    Passing(Option<Duration>),
    /// The same with less in it.
    TooLarge,
    /// It will be the same every time.
    Final,
}

/// What is to be made of a failure. Only what is known to pass is tried again.
pub(crate) fn verdict(error: &QdrantError) -> Verdict {
    if let QdrantError::ResourceExhaustedError {
        retry_after_seconds, ..
    } = error
    {
        return Verdict::Passing(Some(Duration::from_secs(*retry_after_seconds).min(LONGEST)));
    }
    if let QdrantError::ResponseError { status } = error {
        return of_status(status);
    }
    Verdict::Final
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "a code that is not known to pass does not"
)]
fn of_status(status: &Status) -> Verdict {
    let says = |words: &[&str]| words.iter().any(|word| status.message().contains(word));
    match status.code() {
        Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled | Code::Aborted => {
            Verdict::Passing(None)
        }
        // What the transport makes of a message beyond its limit, and what proxies make of one.
        Code::OutOfRange | Code::ResourceExhausted
            if says(&["too large", "larger than", "message length"]) =>
        {
            Verdict::TooLarge
        }
        Code::Unknown if says(&["transport error", "connection", "broken pipe"]) => Verdict::Passing(None),
        Code::Internal
            if says(&[
                "Failed to connect",
                "h2 protocol error",
                "transport error",
                "stream",
            ]) =>
        {
            Verdict::Passing(None)
        }
        _ => Verdict::Final,
    }
}

/// Whether a call had too much to do for its time.
pub(crate) fn took_too_long(error: &QdrantError) -> bool {
    let QdrantError::ResponseError { status } = error else {
        return false;
    };
    matches!(status.code(), Code::DeadlineExceeded | Code::Cancelled)
}

/// Whether the other side has said that it will not do something, and so has not done it. After any other failure it may have.
pub(crate) fn is_refusal(error: &QdrantError) -> bool {
    let QdrantError::ResponseError { status } = error else {
        return false;
    };
    matches!(
        status.code(),
        Code::InvalidArgument
            | Code::NotFound
            | Code::AlreadyExists
            | Code::PermissionDenied
            | Code::Unauthenticated
            | Code::FailedPrecondition
            | Code::Unimplemented
    )
}

/// The waits of one call.
pub(crate) struct Waits<'a> {
    patience: Patience,
    watch: &'a Watch,
    failures: u32,
}

impl<'a> Waits<'a> {
    pub(crate) fn new(patience: Patience, watch: &'a Watch) -> Self {
        Waits {
            patience,
            watch,
            failures: 0,
        }
    }

    /// Waits before another try; false when there is to be none.
    pub(crate) async fn again(&mut self, named: Option<Duration>) -> bool {
        if self.failures >= self.patience.retries || self.watch.asked_to_stop() {
            return false;
        }
        let doubled = self.patience.first.saturating_mul(1 << self.failures.min(20));
        self.failures += 1;
        let mut left = named.unwrap_or(doubled.min(self.patience.most));
        while !left.is_zero() && !self.watch.asked_to_stop() {
            let step = left.min(LOOK);
            tokio::time::sleep(step).await;
            left -= step;
        }
        !self.watch.asked_to_stop()
    }
}

/// Makes a call, again where its failure may pass.
pub(crate) async fn tried<T, F>(
    patience: Patience,
    watch: &Watch,
    mut call: impl FnMut() -> F,
) -> Result<T, QdrantError>
where
    F: Future<Output = Result<T, QdrantError>>,
{
    let mut waits = Waits::new(patience, watch);
    loop {
        let error = match call().await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        match verdict(&error) {
            Verdict::Passing(named) if waits.again(named).await => {}
            Verdict::Passing(_) | Verdict::TooLarge | Verdict::Final => return Err(error),
        }
    }
}

/// The same, with an error that says what was being done.
pub(crate) async fn persist<T, F>(
    patience: Patience,
    watch: &Watch,
    doing: impl FnOnce() -> String,
    call: impl FnMut() -> F,
) -> Result<T>
where
    F: Future<Output = Result<T, QdrantError>>,
{
    let outcome = tried(patience, watch, call).await;
    outcome.map_err(|error| MigrateError::call(doing(), &error))
}

#[cfg(test)]
mod tests;
