//! Locks, condition variables and the clock of the model checker, with the interface of `parking_lot` and `std`.
//!
//! Only one thread runs at a time, and at every call of these the checker may let another go on. What it cannot see: a
//! weaker ordering of memory than a sequential one (Miri and ThreadSanitizer look for that), and threads that do not
//! come from here.

use std::fmt;
use std::ops::{Add, Deref, DerefMut};
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use shuttle::rand::{Rng, thread_rng};
use shuttle::scheduler::{PctScheduler, RandomScheduler};
use shuttle::{Config, Runner, sync, thread};

/// How long one step of the checker takes by its clock.
const STEP: Duration = Duration::from_micros(10);
/// A wait with a time limit gives the others at most so many steps.
const LONGEST_TIMEOUT: usize = 6;
/// Points of a schedule at which the probabilistic checker lets another thread overtake (Burckhardt et al., "A
/// Randomized Scheduler with Probabilistic Guarantees of Finding Bugs", ASPLOS 2010): most bugs need one or two.
const DEPTH: usize = 3;
/// Opening a database takes more stack than the checker gives a thread by itself.
const STACK_BYTES: usize = 1 << 20;
/// A schedule this long is taken for one that never ends.
const MOST_STEPS: usize = 1_000_000;

/// Runs `model` under `schedules` schedules: half are drawn at random, half as the probabilistic checker would have
/// them. The same ones each time: `MODEL_SEED` in the environment asks for others, `MODEL_TIMES` for that many times more.
///
/// # Panics
/// When `model` does, or when all its threads wait for each other; the schedule is printed, for `shuttle::replay`.
pub fn explore(schedules: usize, model: impl Fn() + Send + Sync + Clone + 'static) {
    let setting = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seed = setting("MODEL_SEED").unwrap_or(0);
    let each = schedules.saturating_mul(setting("MODEL_TIMES").unwrap_or(1) as usize) / 2;
    let config = || {
        let mut config = Config::new();
        config.stack_size = STACK_BYTES;
        config.max_steps = shuttle::MaxSteps::FailAfter(MOST_STEPS);
        config
    };
    Runner::new(RandomScheduler::new_from_seed(seed, each), config()).run(model.clone());
    Runner::new(PctScheduler::new_from_seed(seed, DEPTH, each), config()).run(model);
}

/// A lock that a thread which panics leaves usable.
#[derive(Default)]
pub struct Mutex<T>(sync::Mutex<T>);

/// The lock is held while this lives.
pub struct MutexGuard<'a, T> {
    lock: &'a sync::Mutex<T>,
    /// Missing only while a condition variable waits.
    held: Option<sync::MutexGuard<'a, T>>,
}

impl<T> Mutex<T> {
    /// Not locked.
    pub const fn new(value: T) -> Self {
        Mutex(sync::Mutex::new(value))
    }

    /// Waits for its turn.
    pub fn lock(&self) -> MutexGuard<'_, T> {
        MutexGuard::new(&self.0)
    }

    /// The lock, if it is free.
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        let held = self.0.try_lock().ok()?;
        Some(MutexGuard {
            lock: &self.0,
            held: Some(held),
        })
    }

    /// What was locked.
    pub fn into_inner(self) -> T {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<'a, T> MutexGuard<'a, T> {
    fn new(lock: &'a sync::Mutex<T>) -> Self {
        let held = Some(lock.lock().unwrap_or_else(PoisonError::into_inner));
        MutexGuard { lock, held }
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    #[expect(clippy::expect_used, reason = "a bug of this file, in tests only")]
    fn deref(&self) -> &T {
        self.held.as_deref().expect("locked")
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    #[expect(clippy::expect_used, reason = "a bug of this file, in tests only")]
    fn deref_mut(&mut self) -> &mut T {
        self.held.as_deref_mut().expect("locked")
    }
}

/// Many may read, or one may write.
#[derive(Default)]
pub struct RwLock<T>(sync::RwLock<T>);

/// Readers share the lock while this lives.
pub type RwLockReadGuard<'a, T> = sync::RwLockReadGuard<'a, T>;
/// The one writer has the lock while this lives.
pub type RwLockWriteGuard<'a, T> = sync::RwLockWriteGuard<'a, T>;

impl<T> RwLock<T> {
    /// Not locked.
    pub const fn new(value: T) -> Self {
        RwLock(sync::RwLock::new(value))
    }

    /// Waits until nobody writes.
    pub fn read(&self) -> RwLockReadGuard<'_, T> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until nobody reads or writes.
    pub fn write(&self) -> RwLockWriteGuard<'_, T> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What threads wait on for a change of what a [`Mutex`] guards.
#[derive(Default)]
pub struct Condvar {
    waiting: sync::Condvar,
    /// How often somebody was to be woken; those whose waiting has a limit look at it.
    woken: AtomicU64,
}

/// Why a wait with a limit has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitTimeoutResult(bool);

impl WaitTimeoutResult {
    /// True when nobody has woken the thread.
    pub fn timed_out(self) -> bool {
        self.0
    }
}

impl Condvar {
    /// Nobody waits.
    pub const fn new() -> Self {
        Condvar {
            waiting: sync::Condvar::new(),
            woken: AtomicU64::new(0),
        }
    }

    /// Wakes all who wait.
    pub fn notify_all(&self) {
        self.woken.fetch_add(1, Ordering::Relaxed);
        self.waiting.notify_all();
    }

    /// Waits until woken.
    pub fn wait<T>(&self, guard: &mut MutexGuard<'_, T>) {
        guard.held = guard
            .held
            .take()
            .map(|held| self.waiting.wait(held).unwrap_or_else(PoisonError::into_inner));
    }

    /// Waits until woken, or for a time. The checker has no clock: the limit is reached after some steps of others, none
    /// perhaps, whatever the time is. So a thread that waits like this is never part of a deadlock.
    pub fn wait_for<T>(&self, guard: &mut MutexGuard<'_, T>, _limit: Duration) -> WaitTimeoutResult {
        let before = self.woken.load(Ordering::Relaxed);
        let unchanged = || self.woken.load(Ordering::Relaxed) == before;
        guard.held = None;
        for _ in 0..thread_rng().gen_range(0..=LONGEST_TIMEOUT) {
            thread::yield_now();
            if !unchanged() {
                break;
            }
        }
        guard.held = MutexGuard::new(guard.lock).held;
        WaitTimeoutResult(unchanged())
    }

    /// As [`wait_for`](Self::wait_for).
    pub fn wait_until<T>(&self, guard: &mut MutexGuard<'_, T>, until: Instant) -> WaitTimeoutResult {
        self.wait_for(guard, until.0.saturating_sub(Instant::now().0))
    }
}

/// A moment by the checker's clock, which moves with every step of any thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant(Duration);

impl Instant {
    /// The present moment.
    pub fn now() -> Self {
        let steps = u32::try_from(shuttle::current::context_switches()).unwrap_or(u32::MAX);
        Instant(STEP.saturating_mul(steps))
    }

    /// How long ago it was.
    pub fn elapsed(&self) -> Duration {
        Instant::now().0.saturating_sub(self.0)
    }

    /// How long after another it is; none where it is not.
    pub fn saturating_duration_since(&self, earlier: Instant) -> Duration {
        self.0.saturating_sub(earlier.0)
    }

    /// So much later, if the clock runs that long.
    pub fn checked_add(&self, time: Duration) -> Option<Self> {
        self.0.checked_add(time).map(Instant)
    }
}

impl Add<Duration> for Instant {
    type Output = Instant;

    fn add(self, time: Duration) -> Instant {
        Instant(self.0 + time)
    }
}

/// Looks at nothing: whoever prints a lock must not wait for it.
macro_rules! debug_without_looking {
    ($($name:ident $(<$t:ident>)?),*) => {$(
        impl$(<$t>)? fmt::Debug for $name$(<$t>)? {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )*};
}
debug_without_looking!(Mutex<T>, RwLock<T>, Condvar);

impl<T> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MutexGuard").finish_non_exhaustive()
    }
}
