//! How calls are carried out: each in its time, on threads that may block, when it is its turn.

use std::time::{Duration, Instant};

use vdb::{Collection, Control};

use super::error::{Result, ServiceError};
use super::pool::Abandoned;
use super::read::ReadOptions;
use super::{Inner, Service};

impl Service {
    /// As [`on_collection`](Self::on_collection), for what may be done in no time: then it is done here. Else it begins again.
    pub(super) async fn soon<T: Send + 'static>(
        &self,
        collection: &str,
        options: ReadOptions,
        mut work: impl FnMut(&Inner, &Collection, &Control<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let time = Allowed::of(options, self.inner.options.read_timeout);
        if let Some(outcome) = self.inner.briefly(collection, time, &mut work) {
            return outcome;
        }
        let (inner, name) = (self.inner.clone(), collection.to_owned());
        self.inner
            .pool
            .read(time.end(), move |abandoned| {
                inner.within(&name, time, abandoned, work)
            })
            .await
    }

    /// Runs a read of a collection within its time, which begins now, off the threads that serve connections.
    pub(super) async fn on_collection<T: Send + 'static>(
        &self,
        collection: &str,
        options: ReadOptions,
        work: impl FnOnce(&Inner, &Collection, &Control<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let time = Allowed::of(options, self.inner.options.read_timeout);
        let (inner, name) = (self.inner.clone(), collection.to_owned());
        self.inner
            .pool
            .read(time.end(), move |abandoned| {
                inner.within(&name, time, abandoned, work)
            })
            .await
    }

    /// What `work` makes of what a caller sent, as a read: off the threads that serve connections, in its turn and within its time.
    pub(crate) async fn make<T, E>(
        &self,
        options: ReadOptions,
        work: impl FnOnce(&Control<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<ServiceError> + Send + 'static,
    {
        let time = Allowed::of(options, self.inner.options.read_timeout);
        let made = self.inner.pool.read(time.end(), move |abandoned| {
            let cancel = || abandoned.is_set();
            Ok(work(&Control::cancelled_by(&cancel).timeout(time.left())))
        });
        made.await?
    }

    /// As [`on_collection`](Self::on_collection), for what is told of a collection without a look at its points.
    pub(super) async fn about_collection<T: Send + 'static>(
        &self,
        collection: &str,
        work: impl FnOnce(&Inner, &Collection, &Control<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let time = Allowed::of(ReadOptions::default(), self.inner.options.read_timeout);
        let (inner, name) = (self.inner.clone(), collection.to_owned());
        self.inner
            .pool
            .glance(time.end(), move |abandoned| {
                inner.within(&name, time, abandoned, work)
            })
            .await
    }

    /// Looks at what collections there are.
    pub(super) async fn about_all<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let time = Allowed::of(ReadOptions::default(), self.inner.options.read_timeout);
        let inner = self.inner.clone();
        self.inner.pool.glance(time.end(), move |_| work(&inner)).await
    }

    /// Runs work to its end, whoever waits for it, off the threads that serve connections.
    pub(super) async fn to_the_end<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let inner = self.inner.clone();
        self.inner.pool.write(move || work(&inner)).await
    }

    /// As [`to_the_end`](Self::to_the_end), for work on any number of points.
    pub(super) async fn all_to_the_end<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let inner = self.inner.clone();
        self.inner.pool.write_long(move || work(&inner)).await
    }
}

/// The time that a call may take, waiting for its turn included.
#[derive(Clone, Copy, Debug)]
struct Allowed {
    from: Instant,
    limit: Duration,
    /// Whether its caller says so.
    asked: bool,
}

impl Allowed {
    /// As long as the service has it where the caller does not say, and from now on where it has not begun.
    fn of(options: ReadOptions, default: Duration) -> Self {
        Allowed {
            from: options.since.unwrap_or_else(Instant::now),
            limit: options.timeout.unwrap_or(default),
            asked: options.timeout.is_some(),
        }
    }

    /// When it is over; never, where that is beyond what clocks can tell.
    fn end(self) -> Option<Instant> {
        self.from.checked_add(self.limit)
    }

    fn left(self) -> Duration {
        self.limit.saturating_sub(self.from.elapsed())
    }

    /// Refuses more time than the collection lets callers ask for.
    fn check(self, collection: &Collection) -> Result<()> {
        if self.asked {
            collection.check_timeout(self.limit)?;
        }
        Ok(())
    }
}

impl Inner {
    /// Runs a read that has its turn in the time that is left.
    fn within<T>(
        &self,
        name: &str,
        time: Allowed,
        abandoned: &Abandoned,
        work: impl FnOnce(&Inner, &Collection, &Control<'_>) -> Result<T>,
    ) -> Result<T> {
        let cancel = || abandoned.is_set();
        let control = Control::cancelled_by(&cancel).timeout(time.left());
        let collection = self.collection(name)?;
        time.check(&collection)?;
        work(self, &collection, &control)
    }

    /// What a read gives if it is done in no time, and need not wait for anything.
    fn briefly<T>(
        &self,
        name: &str,
        time: Allowed,
        work: &mut impl FnMut(&Inner, &Collection, &Control<'_>) -> Result<T>,
    ) -> Option<Result<T>> {
        if !self.brief.is_due() {
            return None;
        }
        // What is begun twice would count twice.
        let collection = self
            .database
            .open_collection(name)
            .filter(|c| !c.counts_reads())?;
        let _turn = self.pool.free_turn()?;
        self.brief.attempt(time.left(), |control| {
            time.check(&collection)?;
            work(self, &collection, control)
        })
    }
}
