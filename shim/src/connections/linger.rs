//! Staying awake for a moment after an answer.
//!
//! A thread that waits for connections sleeps in the kernel. To wake it takes tens of microseconds, longer yet where an idle
//! processor is given back to the host of a virtual machine: as much as many a search. Callers who ask one thing after the other
//! send the next soon after an answer; for these the thread stays awake, and looks whether it has come.
//!
//! ```text
//! answer -> lingering -> the next call came: again after its answer
//!                     -> it did not come in time: so many answers are not lingered after, twice as many each time
//!                     -> another connection was answered: that one lingers
//! ```
//!
//! So at most one connection lingers at a time, and callers who never come in time cost one attempt in [`MOST_SKIPPED`]. A thread that
//! has anything else to do does that first.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use tokio::task::yield_now;

use super::activity::Activity;

/// Answers that are not lingered after, at most.
const MOST_SKIPPED: u32 = 1 << 10;

/// How long to linger, and who does.
#[derive(Clone, Debug)]
pub(crate) struct Linger {
    time: Duration,
    connections: Arc<Connections>,
}

#[derive(Debug, Default)]
struct Connections {
    /// As many as there have been.
    count: AtomicU64,
    /// The number of the one that was answered last.
    last: AtomicU64,
}

impl Linger {
    /// For so long; not at all, where that is no time.
    pub(crate) fn new(time: Duration) -> Self {
        Linger {
            time,
            connections: Arc::default(),
        }
    }

    /// Lingers after the answers of a connection, as part of the task that serves it. Never done.
    pub(super) async fn after(&self, activity: &Activity) {
        if self.time.is_zero() {
            return std::future::pending().await;
        }
        let connections = &*self.connections;
        let own = connections.count.fetch_add(1, Ordering::Relaxed) + 1;
        let (mut skip, mut skipped, mut lingered) = (0, 0, 0);
        loop {
            // Nobody is woken for this: it is looked at again whenever the connection is, as it is to send an answer.
            let calls = poll_fn(|_| {
                let calls = activity.calls();
                if calls == lingered || activity.idle().is_none() {
                    return Poll::Pending;
                }
                Poll::Ready(calls)
            })
            .await;
            lingered = calls;
            connections.last.store(own, Ordering::Relaxed);
            if skip > 0 {
                skip -= 1;
                continue;
            }
            while activity.calls() == calls
                && activity.idle().is_some_and(|idle| idle < self.time)
                && connections.last.load(Ordering::Relaxed) == own
            {
                yield_now().await;
            }
            if activity.calls() != calls {
                skipped = 0;
            } else if connections.last.load(Ordering::Relaxed) == own {
                skipped = (2 * skipped).clamp(1, MOST_SKIPPED);
            }
            skip = skipped;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;

    /// Polls as the task of a connection does, once.
    fn look(lingering: std::pin::Pin<&mut impl Future<Output = ()>>) {
        assert!(
            lingering
                .poll(&mut Context::from_waker(Waker::noop()))
                .is_pending()
        );
    }

    fn answered_last(linger: &Linger) -> u64 {
        linger.connections.last.load(Ordering::Relaxed)
    }

    #[tokio::test(start_paused = true)]
    async fn who_was_answered_last_lingers() {
        let linger = Linger::new(Duration::from_secs(1));
        let (one, other) = (Activity::new(), Activity::new());
        let mut after_one = pin!(linger.after(&one));
        let mut after_other = pin!(linger.after(&other));
        look(after_one.as_mut());
        look(after_other.as_mut());
        assert_eq!(answered_last(&linger), 0);
        for (activity, number) in [(&one, 1), (&other, 2), (&one, 1)] {
            let call = activity.begin();
            look(after_one.as_mut());
            look(after_other.as_mut());
            assert_ne!(answered_last(&linger), number);
            tokio::time::advance(Duration::from_millis(1)).await;
            drop(call);
            tokio::time::advance(Duration::from_millis(1)).await;
            look(after_one.as_mut());
            look(after_other.as_mut());
            assert_eq!(answered_last(&linger), number);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn callers_who_come_late_are_waited_for_ever_less_often() {
        let linger = Linger::new(Duration::from_secs(1));
        let activity = Activity::new();
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(woken.clone());
        let mut after = pin!(linger.after(&activity));
        let mut lingered = Vec::new();
        for call in 0..16 {
            drop(activity.begin());
            tokio::time::advance(Duration::from_millis(1)).await;
            let before = woken.0.load(Ordering::Relaxed);
            assert!(after.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
            // Who yields is woken once others had their turn, as they have here.
            tokio::time::advance(Duration::from_secs(2)).await;
            if woken.0.load(Ordering::Relaxed) != before {
                lingered.push(call);
            }
            assert!(after.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        }
        assert_eq!(lingered, [0, 2, 5, 10]);
    }

    #[derive(Default)]
    struct Woken(AtomicU64);

    impl std::task::Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}
