//! Collects what is lost, and counts what is read.

use vdb_storage::PointId;
use vdb_vfs::DynDisk;

use super::report::{Loss, RepairReport, RepairedCollection};
use crate::damage::describe;
use crate::error::{Error, Result};
use crate::meter::Meter;

/// The place of a loss in the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Blame(usize);

/// What has been found so far.
#[derive(Debug)]
pub(super) struct Losses<'a> {
    disk: DynDisk,
    meter: Meter<'a>,
    report: RepairReport,
    /// The collection that is being looked at.
    collection: Option<String>,
}

impl<'a> Losses<'a> {
    pub(super) fn new(disk: DynDisk, meter: Meter<'a>) -> Self {
        let report = RepairReport {
            holder: crate::directory::holder(&disk),
            ..RepairReport::default()
        };
        Losses {
            disk,
            meter,
            report,
            collection: None,
        }
    }

    /// Where a path lies, for messages to people.
    pub(super) fn display(&self, path: &str) -> String {
        self.disk.display(path)
    }

    /// What follows concerns this collection.
    pub(super) fn about(&mut self, collection: Option<&str>) {
        self.collection = collection.map(str::to_owned);
    }

    /// Notes damage. The file is the one that the error names, or else `path`; nothing is lost with it so far.
    pub(super) fn error(&mut self, path: &str, error: &Error, more: &str) -> Blame {
        let (file, offset, what) = describe(error);
        let file = file.unwrap_or_else(|| self.disk.display(path));
        let what = match more {
            "" => what,
            more => format!("{what}; {more}"),
        };
        self.push(file, offset, what)
    }

    /// Notes what no error tells of.
    pub(super) fn note(&mut self, path: &str, what: String) -> Blame {
        let file = self.disk.display(path);
        self.push(file, None, what)
    }

    fn push(&mut self, file: String, offset: Option<u64>, what: String) -> Blame {
        self.report.losses.push(Loss {
            collection: self.collection.clone(),
            file,
            offset,
            what,
            ids: Vec::new(),
            unnamed: Some(0),
        });
        Blame(self.report.losses.len() - 1)
    }

    /// A point is lost.
    pub(super) fn lose(&mut self, blame: Blame, id: PointId) {
        if let Some(loss) = self.report.losses.get_mut(blame.0) {
            loss.ids.push(id);
        }
    }

    /// Points are lost whose ids are not known; `None` where it is not known how many.
    pub(super) fn lose_unnamed(&mut self, blame: Blame, rows: Option<u64>) {
        if let Some(loss) = self.report.losses.get_mut(blame.0) {
            loss.unnamed = loss.unnamed.zip(rows).map(|(a, b)| a.saturating_add(b));
        }
    }

    /// Adds to what is told of a loss.
    pub(super) fn explain(&mut self, blame: Blame, more: &str) {
        if let Some(loss) = self.report.losses.get_mut(blame.0) {
            loss.what = format!("{}; {more}", loss.what);
        }
    }

    /// Counts bytes among those to be read.
    pub(super) fn expect(&mut self, bytes: u64) {
        self.meter.expect(bytes);
    }

    /// Counts a file as read.
    ///
    /// # Errors
    /// [`Error::Cancelled`].
    pub(super) fn read(&mut self, bytes: u64) -> Result<()> {
        self.report.files += 1;
        self.report.bytes += bytes;
        self.meter.tick(bytes)
    }

    /// Fails when the caller has enough.
    ///
    /// # Errors
    /// [`Error::Cancelled`].
    pub(super) fn check(&mut self) -> Result<()> {
        self.meter.tick(0)
    }

    pub(super) fn finish(mut self, collections: Vec<RepairedCollection>) -> RepairReport {
        for loss in &mut self.report.losses {
            loss.ids.sort_unstable();
            loss.ids.dedup();
        }
        self.report.collections = collections;
        self.report
    }
}
