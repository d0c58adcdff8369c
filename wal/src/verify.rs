//! Checking a log as it lies on disk: every header, every body, nothing modified, nothing recovered first.

use vdb_vfs::DynDisk;

use crate::Lsn;
use crate::chain;
use crate::error::{Error, Result};
use crate::format;
use crate::recover::TornTail;
use crate::replay::{Damage, Item, Replay};

/// What [`verify`] found.
#[derive(Clone, Debug, Default)]
pub struct VerifyReport {
    /// Log files.
    pub files: usize,
    /// Sound records.
    pub frames: u64,
    /// Bytes of their bodies.
    pub body_bytes: u64,
    /// LSN of the first sound record; 0 when there is none.
    pub first_lsn: Lsn,
    /// LSN of the last sound record; 0 when there is none.
    pub last_lsn: Lsn,
    /// Greatest LSN that the files know to be synced.
    pub synced_lsn: Lsn,
    /// The log was closed, and nothing was written since.
    pub closed_cleanly: bool,
    /// A torn tail, which the next opening for writing would cut. No damage.
    pub torn: Option<TornTail>,
    /// A newest file whose creation was interrupted, which the next opening would remove. No damage.
    pub unfinished: Option<String>,
    /// The file that says up to where the log was released, when half of it is damaged. Nothing is lost with that.
    pub half_noted: Option<String>,
    /// Records that are lost, each to its own collection.
    pub damaged: Vec<Damage>,
    /// Damage that keeps the log from being opened.
    pub lost: Vec<Error>,
}

impl VerifyReport {
    /// True when everything that was synced can be read.
    pub fn is_sound(&self) -> bool {
        self.damaged.is_empty() && self.lost.is_empty()
    }
}

/// Reads the whole log in `dir` and says what is wrong with it. Modifies nothing.
///
/// # Errors
/// Failures of the disk only; damage is in the report.
pub fn verify(disk: &DynDisk, dir: &str) -> Result<VerifyReport> {
    let chain = chain::survey(&**disk, dir, 0)?;
    let mut report = VerifyReport {
        files: chain.files.len(),
        ..VerifyReport::default()
    };
    if let (Some(tail), Some(newest)) = (&chain.tail, chain.files.last()) {
        report.synced_lsn = tail.synced;
        report.closed_cleanly = tail.closed && tail.torn_bytes == 0;
        report.torn = (tail.torn_bytes > 0).then(|| TornTail {
            path: disk.display(&newest.path),
            offset: tail.cut,
            bytes: tail.torn_bytes,
            frames: tail.torn_frames,
            kept: None,
        });
    }
    report.unfinished = chain.unfinished.as_ref().map(|file| disk.display(&file.path));
    report.half_noted = chain
        .released
        .damaged
        .then(|| disk.display(&format::path_in(dir, format::RELEASED_NAME)));
    let mut replay = Replay::salvage_chain(disk.clone(), chain);
    while let Some(item) = replay.next_item()? {
        match item {
            Item::Frame(frame) => {
                report.frames += 1;
                report.body_bytes += frame.body.len() as u64;
                if report.first_lsn == 0 {
                    report.first_lsn = frame.lsn;
                }
                report.last_lsn = frame.lsn;
            }
            Item::Damaged(damage) => report.damaged.push(damage),
            Item::Lost(error) => report.lost.push(error),
        }
    }
    Ok(report)
}

#[cfg(test)]
mod tests;
