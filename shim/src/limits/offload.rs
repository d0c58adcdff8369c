//! Work on large bodies, off the threads that serve connections.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use tokio::sync::Semaphore;

/// Begins work on threads that may be busy for a while, as many at once as there are processors.
#[derive(Clone, Debug)]
pub(crate) struct Offload(Arc<Semaphore>);

/// Work that has been begun.
enum Begun<F: Future> {
    Done(F::Output),
    Waiting(Pin<Box<F>>),
}

impl Offload {
    pub(crate) fn new() -> Self {
        let processors = std::thread::available_parallelism().map_or(4, usize::from);
        Offload(Arc::new(Semaphore::new(processors)))
    }

    /// What `work` gives. What it does until it has to wait for the first time, such as to read a message that is there, it does
    /// on another thread; what it waits for it is told here. `None` when it panicked, or the runtime is ending.
    pub(crate) async fn begin<F>(&self, work: F) -> Option<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let turn = self.0.clone().acquire_owned().await.ok()?;
        let begun = tokio::task::spawn_blocking(move || {
            let mut work = Box::pin(work);
            // Whoever polls a future is the one who is woken for it, so the next poll finds what this one waits for.
            let polled = work.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            drop(turn);
            match polled {
                Poll::Ready(output) => Begun::Done(output),
                Poll::Pending => Begun::Waiting(work),
            }
        });
        match begun.await.ok()? {
            Begun::Done(output) => Some(output),
            Begun::Waiting(work) => Some(work.await),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_comes_before_the_first_wait_is_done_elsewhere() {
        let here = std::thread::current().id();
        let work = async {
            let there = std::thread::current().id();
            tokio::task::yield_now().await;
            (there, std::thread::current().id())
        };
        let offload = Offload::new();
        let (began, ended) = offload.begin(work).await.unwrap();
        assert_ne!(began, here);
        assert_eq!(ended, here);
        assert_eq!(offload.begin(async { 1 }).await, Some(1));
        let broken: Option<()> = offload.begin(async { panic!("as a mistake would") }).await;
        assert_eq!(broken, None);
    }
}
