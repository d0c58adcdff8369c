use std::sync::Arc;

use tracing::Level;

use super::*;
use crate::logged::logged;

/// Says what it is told to.
#[derive(Clone, Default)]
struct Faked(Arc<Mutex<(Option<f64>, Option<f64>)>>);

impl Probe for Faked {
    fn memory(&self) -> Option<f64> {
        self.0.lock().0
    }

    fn disk(&self) -> Option<f64> {
        self.0.lock().1
    }
}

fn quotas(limits: QuotaLimits) -> (Quotas, Faked) {
    let probe = Faked::default();
    let mut quotas = Quotas::new(limits, None, Box::new(probe.clone()));
    quotas.fresh = Duration::ZERO;
    (quotas, probe)
}

const DISK: QuotaLimits = QuotaLimits {
    enabled: true,
    max_resident_memory_percent: None,
    max_disk_usage_percent: Some(90),
    release_margin_percent: None,
};

#[test]
fn a_limit_holds_until_usage_has_fallen_by_the_margin() {
    let (quotas, probe) = quotas(DISK);
    let refused = |used: f64| {
        *probe.0.lock() = (Some(99.0), Some(used));
        quotas.admit().err().map(|error| error.to_string())
    };
    assert_eq!(refused(89.9), None);
    assert_eq!(
        refused(95.0).as_deref(),
        Some(
            "Insufficient storage: Disk usage is at 95% of total capacity, exceeding the configured limit of 90%. Help: \
             Reduce disk usage (e.g. delete points or drop collections), or raise `max_disk_usage_percent` in the global \
             quota config."
        )
    );
    assert_eq!(
        refused(87.0).as_deref(),
        Some(
            "Insufficient storage: Disk usage is at 87% of total capacity. It reached the configured limit of 90% and has \
             to fall below 85% before this node takes writes again."
        )
    );
    assert_eq!(
        quotas.exceeded(),
        QuotaExceeded {
            resident_memory: None,
            disk_usage: Some(true)
        }
    );
    assert!(refused(85.0).is_some());
    assert_eq!(refused(84.9), None);
    assert_eq!(refused(87.0), None, "the margin counts on the way down alone");
}

#[test]
fn other_limits_forget_what_was_exceeded() {
    let (quotas, probe) = quotas(DISK);
    *probe.0.lock() = (None, Some(91.0));
    assert!(quotas.admit().is_err());
    *probe.0.lock() = (None, Some(88.0));
    assert!(quotas.admit().is_err());
    quotas.set(DISK).unwrap();
    assert!(quotas.admit().is_ok());
    *probe.0.lock() = (None, Some(91.0));
    quotas
        .set(QuotaLimits {
            enabled: false,
            ..DISK
        })
        .unwrap();
    assert!(quotas.admit().is_ok());
    assert_eq!(quotas.exceeded(), QuotaExceeded::default());
}

#[test]
fn no_margin_releases_at_once_and_what_is_not_known_refuses_nothing() {
    let limits = QuotaLimits {
        max_resident_memory_percent: Some(50),
        release_margin_percent: Some(0),
        ..DISK
    };
    let (quotas, probe) = quotas(limits);
    assert!(quotas.admit().is_ok());
    assert_eq!(quotas.exceeded(), QuotaExceeded::default());
    *probe.0.lock() = (Some(50.0), None);
    let refused = quotas.admit().unwrap_err();
    assert!(
        refused.message.contains("`max_resident_memory_percent`"),
        "{refused}"
    );
    *probe.0.lock() = (Some(49.0), None);
    assert!(quotas.admit().is_ok());
}

#[test]
fn limits_that_a_client_has_set_outlive_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("quotas.json");
    let open = |configured| Quotas::new(configured, Some(file.clone()), Box::new(Faked::default()));
    assert_eq!(open(DISK).limits(), DISK);
    let other = QuotaLimits {
        max_disk_usage_percent: Some(70),
        ..DISK
    };
    open(DISK).set(other).unwrap();
    assert_eq!(open(DISK).limits(), other);
    for damage in [
        "",
        "{\"max_disk_usage_percent\": 400}",
        "3",
        "{\"max_disk_usage_percent\": 0}",
    ] {
        std::fs::write(&file, damage).unwrap();
        assert_eq!(open(DISK).limits(), DISK, "{damage}");
    }
}

#[test]
fn settings_that_a_client_has_overruled_are_told() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("quotas.json");
    let open = |configured| Quotas::new(configured, Some(file.clone()), Box::new(Faked::default()));
    let lines = |configured| logged(|| open(configured)).1;
    assert!(lines(DISK).is_empty());
    let other = QuotaLimits {
        max_disk_usage_percent: Some(70),
        ..DISK
    };
    open(DISK).set(other).unwrap();
    let told = lines(DISK);
    let [(Level::WARN, fields)] = told.as_slice() else {
        panic!("{told:?}");
    };
    assert!(fields["message"].contains("storage.quotas"), "{fields:?}");
    assert_eq!(fields["file"], file.display().to_string());
    // The same is in force, or the settings say nothing.
    assert!(lines(other).is_empty());
    assert!(lines(QuotaLimits::default()).is_empty());
}

#[test]
fn limits_have_ranges() {
    let wrong = QuotaLimits {
        max_resident_memory_percent: Some(0),
        max_disk_usage_percent: Some(101),
        release_margin_percent: Some(101),
        ..DISK
    };
    let refused = wrong.validate().unwrap_err().message;
    assert_eq!(refused.matches("invalid").count(), 3, "{refused}");
}
