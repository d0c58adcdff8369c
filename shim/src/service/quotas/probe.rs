//! How much of the machine is in use.

use std::path::PathBuf;

/// Tells how much is in use, in percent; `None` where that is not known.
pub trait Probe: Send + Sync {
    /// Of the memory that the process may have.
    fn memory(&self) -> Option<f64>;
    /// Of the file system that the database lies on.
    fn disk(&self) -> Option<f64>;
}

/// What the system tells.
#[derive(Clone, Debug, Default)]
pub struct SystemProbe {
    directory: Option<PathBuf>,
}

impl SystemProbe {
    /// For a database in this directory; `None` for one in memory.
    pub fn new(directory: Option<PathBuf>) -> Self {
        SystemProbe { directory }
    }
}

impl Probe for SystemProbe {
    fn memory(&self) -> Option<f64> {
        vdb::resident_memory_percent()
    }

    #[cfg(unix)]
    fn disk(&self) -> Option<f64> {
        let told = rustix::fs::statvfs(self.directory.as_ref()?).ok()?;
        let total = told.f_blocks as f64;
        // What is kept back for the administrator is full for us.
        let free = told.f_bavail.min(told.f_blocks) as f64;
        (total > 0.0).then(|| 100.0 * (total - free) / total)
    }

    #[cfg(not(unix))]
    fn disk(&self) -> Option<f64> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn the_system_tells() {
        let directory = tempfile::tempdir().unwrap();
        let probe = SystemProbe::new(Some(directory.path().to_owned()));
        for share in [probe.memory(), probe.disk()] {
            assert!(
                share.is_some_and(|share| (0.0..=100.0).contains(&share)),
                "{share:?}"
            );
        }
        assert_eq!(SystemProbe::new(None).disk(), None);
        assert_eq!(SystemProbe::new(Some("/nowhere/at/all".into())).disk(), None);
    }
}
