//! The log, against the manifests: which damage has cost something?

use vdb_storage::manifest::Catalog;
use vdb_vfs::DynDisk;

use super::audit::{Audit, Plan, RESTORE};
use super::name_of;
use super::report::{Problem, Severity};
use crate::error::{Error, Result};
use crate::layout::LOG_DIR;
use crate::write::record::MANY;

/// How often the log is read when files go away while it is.
const ATTEMPTS: usize = 8;

impl Audit<'_> {
    /// Checks the log. With `live`, this process is writing it: its end is in motion.
    pub(super) fn log(&mut self, catalog: Option<&Catalog>, plans: &[Plan], live: bool) -> Result<()> {
        let shown = self.disk.display(LOG_DIR);
        let log = match read(&self.disk) {
            Ok(log) => log,
            Err(error) => {
                self.problem(
                    &shown,
                    &error.into(),
                    Severity::Primary,
                    "check the disk, then verify again",
                );
                return Ok(());
            }
        };
        self.report.log_records = log.frames;
        self.read(log.files as u64, self.log_bytes);
        for lost in log.lost {
            let advice = format!("the database does not open with it; {RESTORE}");
            self.problem(&shown, &Error::Wal(lost), Severity::Primary, advice);
        }
        for damage in log.damaged {
            let dropped = catalog.is_some_and(|c| c.collections.iter().all(|c| c.id != damage.collection));
            let flushed = plans
                .iter()
                .find(|p| p.id == damage.collection)
                .map(|p| p.manifest.flushed_lsn);
            let covered = flushed.is_some_and(|flushed| damage.lsn <= flushed);
            let (severity, advice) = if damage.collection == MANY {
                (
                    Severity::Primary,
                    format!("the database does not open with it; {RESTORE}"),
                )
            } else if dropped || covered {
                (
                    Severity::Spare,
                    "nothing is lost: its rows are in segments, or dropped".to_owned(),
                )
            } else {
                let id = damage.collection;
                (
                    Severity::Primary,
                    format!("collection {id:08x} does not open with it; {RESTORE}"),
                )
            };
            let what = format!("record {} ({} bytes) is damaged", damage.lsn, damage.bytes);
            let offset = Some(damage.offset);
            self.report.problems.push(Problem {
                collection: catalog.and_then(|catalog| name_of(catalog, damage.collection)),
                file: damage.path,
                offset,
                what,
                severity,
                advice,
            });
        }
        if !live {
            if let Some(torn) = log.torn {
                let what = format!(
                    "a torn tail of {} bytes, not known to have been acknowledged",
                    torn.bytes
                );
                let advice = "the next opening cuts it off and keeps it aside".to_owned();
                let (file, offset) = (torn.path, Some(torn.offset));
                self.report.problems.push(Problem {
                    collection: None,
                    file,
                    offset,
                    what,
                    severity: Severity::Leftover,
                    advice,
                });
            }
            if let Some(file) = log.half_noted {
                let what = "one of its two notes is damaged".to_owned();
                self.note(
                    file,
                    what,
                    Severity::Spare,
                    "the other counts; the next one replaces it",
                );
            }
            if let Some(file) = log.unfinished {
                let what = "its creation was interrupted".to_owned();
                self.note(file, what, Severity::Leftover, "the next opening removes it");
            }
        }
        // A log whose records are all in segments has none left, but knows where it was.
        let last = log.last_lsn.max(log.synced_lsn);
        for plan in plans.iter().filter(|plan| plan.manifest.flushed_lsn > last) {
            let what = format!(
                "collection {:08x} has seen the log up to record {}, the log ends at {last}: log files are missing",
                plan.id, plan.manifest.flushed_lsn
            );
            let name = catalog.and_then(|catalog| name_of(catalog, plan.id));
            let file = shown.clone();
            self.about(name, |audit| audit.note(file, what, Severity::Primary, RESTORE));
        }
        self.meter.tick(self.log_bytes)
    }
}

fn read(disk: &DynDisk) -> vdb_wal::Result<vdb_wal::VerifyReport> {
    let mut attempts = 1;
    loop {
        match vdb_wal::verify(disk, LOG_DIR) {
            // The writer let go of a file between our listing the directory and opening it.
            Err(vdb_wal::Error::Disk(error))
                if matches!(error.get(), vdb_vfs::Error::NotFound { .. }) && attempts < ATTEMPTS =>
            {
                attempts += 1;
            }
            read => return read,
        }
    }
}
