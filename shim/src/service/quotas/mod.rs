//! Quotas of what a node takes of its machine: beyond them it takes in no more until it has less.
//!
//! | file | what |
//! |---|---|
//! | `mod.rs` | the limits, and who is over them |
//! | `probe.rs` | how much there is |
//! | `kept.rs` | where limits are kept that a client has set |

mod kept;
mod probe;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::Service;
use super::error::{ErrorKind, Problems, Result, ServiceError};
pub use probe::{Probe, SystemProbe};

/// Percentage points by which a resource has to fall below its limit, where nobody says.
const RELEASE_MARGIN: u8 = 5;

/// For how long a reading is good.
const FRESH: Duration = Duration::from_millis(500);

/// What is to be refused, as clients say it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default)]
pub struct QuotaLimits {
    /// Whether the limits are held to.
    pub enabled: bool,
    /// Percent of the memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_resident_memory_percent: Option<u8>,
    /// Percent of the file system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_disk_usage_percent: Option<u8>,
    /// Percentage points by which a resource has to fall below its limit before it is used again; 5 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release_margin_percent: Option<u8>,
}

impl QuotaLimits {
    /// Whether every value is in its range.
    ///
    /// # Errors
    /// Of the kind [`Validation`](ErrorKind::Validation), with all that is wrong.
    pub fn validate(&self) -> Result<()> {
        let mut problems = Problems::new();
        for (name, limit) in [
            ("max_resident_memory_percent", self.max_resident_memory_percent),
            ("max_disk_usage_percent", self.max_disk_usage_percent),
        ] {
            problems.within(name, limit, 1, 100);
        }
        problems.within("release_margin_percent", self.release_margin_percent, 0, 100);
        problems.finish()
    }
}

/// How much is in use, in percent; `None` where the system does not tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct QuotaUsage {
    /// Of the memory, by this process.
    pub resident_memory_percent: Option<u8>,
    /// Of the file system that the database lies on.
    pub disk_usage_percent: Option<u8>,
}

/// Which limits are exceeded; `None` for those that are not held to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct QuotaExceeded {
    /// That of the memory.
    pub resident_memory: Option<bool>,
    /// That of the file system.
    pub disk_usage: Option<bool>,
}

/// The limits in force, and what is known of the machine.
pub(super) struct Quotas {
    probe: Box<dyn Probe>,
    file: Option<PathBuf>,
    fresh: Duration,
    state: Mutex<State>,
}

struct State {
    limits: QuotaLimits,
    usage: QuotaUsage,
    read: Option<Instant>,
    memory: Gauge,
    disk: Gauge,
}

/// A resource that is over its limit stays there until it has fallen by the margin: at rest on the limit it would go to and fro.
#[derive(Clone, Copy, Default)]
struct Gauge {
    over: bool,
}

impl Gauge {
    fn judge(&mut self, used: u8, limit: u8, margin: u8) -> bool {
        self.over = used >= limit || (self.over && used >= limit.saturating_sub(margin));
        self.over
    }
}

impl std::fmt::Debug for Quotas {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Quotas").field(&self.limits()).finish()
    }
}

impl Quotas {
    /// Limits that a client has set before, if they are in this file; else these.
    pub(super) fn new(configured: QuotaLimits, file: Option<PathBuf>, probe: Box<dyn Probe>) -> Self {
        let kept = file.as_deref().and_then(|file| Some((file, kept::recall(file)?)));
        if let Some((file, kept)) = kept
            && kept != configured
            && configured != QuotaLimits::default()
        {
            tracing::warn!(
                file = %file.display(),
                "storage.quotas is not in force: a client has set other quotas, which are in this file; without it those of \
                 the settings are"
            );
        }
        let limits = kept.map_or(configured, |(_, kept)| kept);
        Quotas {
            probe,
            file,
            fresh: FRESH,
            state: Mutex::new(State {
                limits,
                usage: QuotaUsage::default(),
                read: None,
                memory: Gauge::default(),
                disk: Gauge::default(),
            }),
        }
    }

    fn limits(&self) -> QuotaLimits {
        self.state.lock().limits
    }

    /// Puts other limits in force, and keeps them. What was exceeded before is forgotten with the limits it was measured by.
    fn set(&self, limits: QuotaLimits) -> Result<()> {
        if let Some(file) = &self.file {
            kept::keep(file, limits).map_err(|problem| {
                // Where the file lies is for the log alone.
                tracing::error!(file = %file.display(), %problem, "quotas cannot be kept");
                ServiceError::internal(format!("the quotas cannot be kept: {}", problem.kind()))
            })?;
        }
        let mut state = self.state.lock();
        state.limits = limits;
        (state.memory, state.disk) = (Gauge::default(), Gauge::default());
        Ok(())
    }

    /// How much is in use, not much longer ago than now.
    fn usage(&self, state: &mut State) -> QuotaUsage {
        let now = Instant::now();
        let fresh = |read: Instant| now.saturating_duration_since(read) < self.fresh;
        if !state.read.is_some_and(fresh) {
            state.usage = QuotaUsage {
                resident_memory_percent: self.probe.memory().map(percent),
                disk_usage_percent: self.probe.disk().map(percent),
            };
            state.read = Some(now);
        }
        state.usage
    }

    fn exceeded(&self) -> QuotaExceeded {
        let mut state = self.state.lock();
        if !state.limits.enabled {
            return QuotaExceeded::default();
        }
        let usage = self.usage(&mut state);
        let State {
            limits, memory, disk, ..
        } = &mut *state;
        let margin = limits.release_margin_percent.unwrap_or(RELEASE_MARGIN);
        let judge =
            |gauge: &mut Gauge, used: Option<u8>, limit: Option<u8>| Some(gauge.judge(used?, limit?, margin));
        QuotaExceeded {
            resident_memory: judge(
                memory,
                usage.resident_memory_percent,
                limits.max_resident_memory_percent,
            ),
            disk_usage: judge(disk, usage.disk_usage_percent, limits.max_disk_usage_percent),
        }
    }

    /// Whether more may be taken in.
    ///
    /// # Errors
    /// [`OutOfStorage`](ErrorKind::OutOfStorage) when a limit is exceeded; it says which, by how much, and what to do.
    pub(super) fn admit(&self) -> Result<()> {
        let exceeded = self.exceeded();
        if exceeded.resident_memory != Some(true) && exceeded.disk_usage != Some(true) {
            return Ok(());
        }
        let state = self.state.lock();
        let (limits, usage) = (state.limits, state.usage);
        let margin = limits.release_margin_percent.unwrap_or(RELEASE_MARGIN);
        let (what, used, limit, help) = if exceeded.resident_memory == Some(true) {
            (
                "Resident memory usage is at {used}% of the memory available",
                usage.resident_memory_percent,
                limits.max_resident_memory_percent,
                "Reduce memory usage (e.g. delete points or drop collections), or raise `max_resident_memory_percent` in \
                 the global quota config.",
            )
        } else {
            (
                "Disk usage is at {used}% of total capacity",
                usage.disk_usage_percent,
                limits.max_disk_usage_percent,
                "Reduce disk usage (e.g. delete points or drop collections), or raise `max_disk_usage_percent` in the \
                 global quota config.",
            )
        };
        let (used, limit) = (used.unwrap_or_default(), limit.unwrap_or_default());
        let what = what.replace("{used}", &used.to_string());
        let text = if used >= limit {
            format!("{what}, exceeding the configured limit of {limit}%. Help: {help}")
        } else {
            let release = limit.saturating_sub(margin);
            format!(
                "{what}. It reached the configured limit of {limit}% and has to fall below {release}% before this node \
                 takes writes again."
            )
        };
        Err(ServiceError::new(ErrorKind::OutOfStorage, text))
    }
}

/// A share in percent as it is told and compared: what is begun does not count.
fn percent(share: f64) -> u8 {
    share.clamp(0.0, 100.0) as u8
}

impl Service {
    /// The limits in force.
    pub fn quota_limits(&self) -> QuotaLimits {
        self.inner.quotas.limits()
    }

    /// Puts other limits in force. They outlive a restart, and come before those of the settings from then on.
    ///
    /// # Errors
    /// When a value is out of range, or the file they are kept in cannot be written.
    pub async fn set_quota_limits(&self, limits: QuotaLimits) -> Result<()> {
        limits.validate()?;
        self.to_the_end(move |inner| inner.quotas.set(limits)).await
    }

    /// How much is in use.
    ///
    /// # Errors
    /// When others keep it waiting for too long.
    pub async fn quota_usage(&self) -> Result<QuotaUsage> {
        self.about_all(|inner| {
            let mut state = inner.quotas.state.lock();
            Ok(inner.quotas.usage(&mut state))
        })
        .await
    }

    /// Which limits are exceeded.
    ///
    /// # Errors
    /// When others keep it waiting for too long.
    pub async fn quota_exceeded(&self) -> Result<QuotaExceeded> {
        self.about_all(|inner| Ok(inner.quotas.exceeded())).await
    }
}

#[cfg(test)]
mod tests;
