//! Whether calls are under way on a connection, and since when not.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep};

/// What goes on on a connection. Told at every call, so that telling takes no lock and wakes nobody: who waits for the end of it
/// looks now and then.
#[derive(Clone, Debug)]
pub(super) struct Activity(Arc<Seen>);

#[derive(Debug)]
struct Seen {
    began: Instant,
    /// Calls that have begun, and those of them that have ended.
    calls: AtomicU64,
    over: AtomicU64,
    /// When the last one ended, in microseconds from the beginning.
    ended: AtomicU64,
}

impl Activity {
    /// None yet, from now on.
    pub(super) fn new() -> Self {
        Activity(Arc::new(Seen {
            began: Instant::now(),
            calls: AtomicU64::new(0),
            over: AtomicU64::new(0),
            ended: AtomicU64::new(0),
        }))
    }

    /// A call begins, and is under way until this is dropped.
    pub(super) fn begin(&self) -> UnderWay {
        self.0.calls.fetch_add(1, Ordering::Relaxed);
        UnderWay(self.clone())
    }

    /// How long no call has been under way; `None` while one is.
    fn idle(&self) -> Option<Duration> {
        let seen = &self.0;
        // Of two numbers that change the one is read first that the other never overtakes.
        let over = seen.over.load(Ordering::Acquire);
        if over != seen.calls.load(Ordering::Relaxed) {
            return None;
        }
        let ended = Duration::from_micros(seen.ended.load(Ordering::Relaxed));
        Some(seen.began.elapsed().saturating_sub(ended))
    }

    /// Done once no call has been under way for so long.
    pub(super) async fn idle_for(&self, time: Duration) {
        loop {
            let left = time.saturating_sub(self.idle().unwrap_or_default());
            if left.is_zero() {
                return;
            }
            sleep(left).await;
        }
    }
}

/// A call.
#[derive(Debug)]
pub(super) struct UnderWay(Activity);

impl Drop for UnderWay {
    fn drop(&mut self) {
        let seen = &self.0.0;
        let now = u64::try_from(seen.began.elapsed().as_micros()).unwrap_or(u64::MAX);
        seen.ended.fetch_max(now, Ordering::Relaxed);
        seen.over.fetch_add(1, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: Duration = Duration::from_secs(300);
    const MOMENT: Duration = Duration::from_millis(200);

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_idle_when_it_has_had_no_call_for_long() {
        let activity = Activity::new();
        let watched = activity.clone();
        let mut idle = tokio::spawn(async move { watched.idle_for(IDLE).await });
        let begun = activity.begin();
        assert!(tokio::time::timeout(10 * IDLE, &mut idle).await.is_err());
        drop(begun);
        assert!(tokio::time::timeout(IDLE / 2, &mut idle).await.is_err());
        // One that is over at once counts, too.
        drop(activity.begin());
        assert!(tokio::time::timeout(IDLE - MOMENT, &mut idle).await.is_err());
        assert!(tokio::time::timeout(2 * MOMENT, &mut idle).await.is_ok());
    }
}
