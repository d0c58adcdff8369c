//! Making a log ready for appending: the only code that shortens or removes what a crash left behind.
//!
//! 1. Damage to what was synced is an error; the files are left alone.
//! 2. A newest file whose creation was interrupted is removed.
//! 3. A torn tail is copied aside, then cut off.
//! 4. Unless the log was closed, the file header, the records that stand but are not known to be synced, and the
//!    length are written once more: if the process that wrote them saw a sync fail, the system may hold them as clean
//!    pages that it will never write. (This rests on sectors being written whole or not at all, as appending does.)
//! 5. All of that is synced, and the directory too, before a record is handed out or appended.

use std::collections::VecDeque;
use std::sync::Arc;

use vdb_vfs::{Disk, File};

use crate::Lsn;
use crate::chain::{self, LogFile, Unfinished};
use crate::cursor::Cursor;
use crate::error::{Error, Result};
use crate::format::{self, FILE_HEADER_BYTES, FileHeader};
use crate::released::Released;
use crate::segment::{self, Failure, Segment};
use crate::tail::Tail;

const COPY_BYTES: usize = 256 << 10;
/// So many of the tails that were cut last are kept.
const KEPT_TAILS: usize = 4;

/// What opening a log found and did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecoveryReport {
    /// Log files that were there. 0 for a log that was created.
    pub files: usize,
    /// Oldest LSN that the log may still hold; 0 when it was created.
    pub retained_from: Lsn,
    /// Last LSN that stands; the next append gets a greater one.
    pub last_lsn: Lsn,
    /// Greatest LSN that the files knew to be synced. Under per-write sync, a crash leaves at most the last group of
    /// writes above it.
    pub synced_lsn: Lsn,
    /// The log had been closed, and nothing was written since.
    pub closed_cleanly: bool,
    /// What was cut from the end of the newest file.
    pub torn: Option<TornTail>,
    /// A file that was removed because its creation had been interrupted; it held no record.
    pub unfinished: Option<String>,
}

/// The torn tail of a log: writes that were under way, and not acknowledged as durable, when it was last used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TornTail {
    /// The log file.
    pub path: String,
    /// Where its tail begins.
    pub offset: u64,
    /// Length of the tail, trailing zeros aside.
    pub bytes: u64,
    /// Records in it whose headers are sound; an unsynced write may survive behind one that did not.
    pub frames: u64,
    /// The file that the tail was copied to; `None` when it was only looked at, or when the disk was full.
    pub kept: Option<String>,
}

/// A finished file of the log.
#[derive(Debug)]
pub(crate) struct Sealed {
    pub(crate) path: String,
    pub(crate) first: Lsn,
    pub(crate) last: Lsn,
    pub(crate) bytes: u64,
}

/// A log ready for appending.
#[derive(Debug)]
pub(crate) struct Recovery {
    pub(crate) segment: Segment,
    pub(crate) sealed: VecDeque<Sealed>,
    /// All LSNs up to this one are used up, and synced where they stand.
    pub(crate) last: Lsn,
    /// The newest file ends with the mark of a clean close.
    pub(crate) marked: bool,
    pub(crate) released: Released,
    pub(crate) files: Vec<LogFile>,
    pub(crate) report: RecoveryReport,
}

pub(crate) fn recover(disk: &dyn Disk, dir: &str) -> Result<Recovery> {
    let chain = chain::survey(disk, dir, 0)?;
    if let Some(fault) = chain.fault() {
        return Err(fault.clone());
    }
    let mut report = RecoveryReport {
        files: chain.skipped.len() + chain.files.len(),
        ..RecoveryReport::default()
    };
    if let Some(unfinished) = &chain.unfinished {
        report.unfinished = Some(disk.display(&unfinished.path));
        remove_unfinished(disk, dir, unfinished)?;
    }
    let (Some(newest), Some(tail)) = (chain.files.last(), &chain.tail) else {
        return create(disk, dir, report);
    };
    let file = finish_tail(disk, dir, newest, tail, &mut report)?;
    disk.sync_dir(dir)?;

    let firsts: Vec<Lsn> = chain
        .skipped
        .iter()
        .copied()
        .chain(chain.files.iter().map(|file| file.header.first))
        .collect();
    let mut sealed = VecDeque::new();
    for pair in firsts.windows(2) {
        let path = format::path_in(dir, &format::file_name(pair[0]));
        let bytes = disk.open(&path, false)?.len()?;
        // Files that were released were not read and are known by name only, but each ends before the next begins.
        sealed.push_back(Sealed {
            path,
            first: pair[0],
            last: pair[1] - 1,
            bytes,
        });
    }

    report.retained_from = firsts[0];
    report.last_lsn = tail.last;
    report.synced_lsn = tail.synced;
    report.closed_cleanly = tail.closed && report.torn.is_none();

    let len = file.len()?;
    let shown = disk.display(&newest.path);
    Ok(Recovery {
        segment: Segment::resume(file, newest.path.clone(), shown, newest.header, tail.end, len),
        sealed,
        last: tail.last,
        marked: tail.closed,
        released: chain.released,
        files: chain.files.clone(),
        report,
    })
}

impl Failure {
    pub(crate) fn into_error(self) -> Error {
        match self {
            Failure::Refused(error) | Failure::Broken(error) => error,
        }
    }
}

fn create(disk: &dyn Disk, dir: &str, report: RecoveryReport) -> Result<Recovery> {
    let first = 1;
    let header = FileHeader {
        salt: segment::draw_salt(0),
        first,
        prev_first: 0,
        prev_last: 0,
    };
    let path = format::path_in(dir, &format::file_name(first));
    let is_new = !disk.exists(dir)?;
    let made = (|| -> Result<_> {
        disk.create_dir_all(dir)?;
        disk.sync_dir(dir.rsplit_once('/').map_or("", |(parent, _)| parent))?;
        let released = Released::create(disk, dir)?;
        let segment = Segment::create(disk, dir, path, header).map_err(Failure::into_error)?;
        Ok((segment, released))
    })();
    if is_new && made.is_err() {
        // As in `Segment::create`: what could not be made durable is to be made anew, not found.
        let _ = disk.remove_dir_all(dir);
    }
    let (segment, released) = made?;
    Ok(Recovery {
        segment,
        released,
        sealed: VecDeque::new(),
        last: 0,
        marked: false,
        files: Vec::new(),
        report,
    })
}

fn remove_unfinished(disk: &dyn Disk, dir: &str, unfinished: &Unfinished) -> Result<()> {
    if unfinished.holds_bytes {
        let mut cursor = Cursor::open(disk, &unfinished.path)?;
        let bytes = cursor.written_end(0)?;
        keep_aside(disk, dir, &unfinished.path, unfinished.first, 0, bytes)?;
    }
    disk.remove(&unfinished.path)?;
    Ok(disk.sync_dir(dir)?)
}

/// Cuts a torn tail and makes durable what stands. Returns the file open for writing.
fn finish_tail(
    disk: &dyn Disk,
    dir: &str,
    newest: &LogFile,
    tail: &Tail,
    report: &mut RecoveryReport,
) -> Result<Arc<dyn File>> {
    let file: Arc<dyn File> = Arc::from(disk.open(&newest.path, true)?);
    if tail.torn_bytes > 0 {
        let kept = keep_aside(
            disk,
            dir,
            &newest.path,
            newest.header.first,
            tail.cut,
            tail.torn_bytes,
        )?;
        report.torn = Some(TornTail {
            path: disk.display(&newest.path),
            offset: tail.cut,
            bytes: tail.torn_bytes,
            frames: tail.torn_frames,
            kept,
        });
    }
    if tail.torn_bytes > 0 || !tail.closed {
        copy(&*file, 0, FILE_HEADER_BYTES as u64, &*file, 0)?;
        copy(&*file, tail.unsynced_at, tail.end, &*file, tail.unsynced_at)?;
        // Also where nothing is cut: the length may be as unsynced as the bytes.
        file.set_len(tail.cut)?;
        segment::make_reserve(&*file, tail.cut)?;
    }
    file.sync_all()?;
    Ok(file)
}

/// Copies part of a log file to a file of its own, durably. `None` when the disk is full: the log must open then too,
/// or nothing could ever be deleted from it.
fn keep_aside(
    disk: &dyn Disk,
    dir: &str,
    path: &str,
    first: Lsn,
    offset: u64,
    bytes: u64,
) -> Result<Option<String>> {
    // One more than the last, which need not be how many there are: old ones are removed.
    let attempt = disk
        .list(dir)?
        .iter()
        .filter_map(|name| format::parse_cut_name(name))
        .filter(|(f, o, _)| (*f, *o) == (first, offset))
        .map(|(_, _, attempt)| attempt.saturating_add(1))
        .max()
        .unwrap_or(0);
    let target = format::path_in(dir, &format::cut_name(first, offset, attempt));
    let kept = (|| {
        let source = disk.open(path, false)?;
        let copied = disk.create(&target)?;
        copy(&*source, offset, offset + bytes, &*copied, 0)?;
        copied.sync_all()?;
        Ok(disk.sync_dir(dir)?)
    })();
    match kept {
        Ok(()) => {
            // That an old one stays does no harm.
            let _ = remove_old_tails(disk, dir);
            Ok(Some(disk.display(&target)))
        }
        Err(error) if Error::is_no_space(&error) => {
            // Half a copy is of no use; that it may stay where it is does no harm either.
            let _ = disk.remove(&target);
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Removes what was kept aside of earlier tails, the last few aside.
fn remove_old_tails(disk: &dyn Disk, dir: &str) -> Result<()> {
    let mut tails: Vec<_> = disk
        .list(dir)?
        .iter()
        .filter_map(|name| format::parse_cut_name(name))
        .collect();
    tails.sort_unstable();
    tails.truncate(tails.len().saturating_sub(KEPT_TAILS));
    for (first, offset, attempt) in tails {
        disk.remove(&format::path_in(dir, &format::cut_name(first, offset, attempt)))?;
    }
    Ok(())
}

/// Copies the bytes `from..end` of one file to `at` of another, or of the same.
fn copy(source: &dyn File, from: u64, end: u64, target: &dyn File, at: u64) -> Result<()> {
    let mut buffer = vec![0; COPY_BYTES];
    let mut done = from;
    while done < end {
        let want = (end - done).min(COPY_BYTES as u64) as usize;
        let read = source.read_at(&mut buffer[..want], done)?;
        if read == 0 {
            break;
        }
        target.write_all_at(&buffer[..read], at + (done - from))?;
        done += read as u64;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
