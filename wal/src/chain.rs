//! Which files make up the log, and is one missing?
//!
//! Each file names its predecessor and that file's last LSN in its header, and is created only when all of the
//! predecessor is synced. So the header of a newer file vouches for the older ones: whatever is missing there is
//! damage, never a torn tail. Only the newest file may be unfinished: when its header was never written in full and
//! no frame was either, creating it was interrupted and it counts for nothing.

use vdb_vfs::Disk;

use crate::Lsn;
use crate::cursor::Cursor;
use crate::error::{Error, Result};
use crate::format::{self, FILE_HEADER_BYTES, FileHeader, HeaderFault, VERSION};
use crate::released::Released;
use crate::tail::{self, Tail};

/// A file of the log as it will be read.
#[derive(Clone, Debug)]
pub(crate) struct LogFile {
    pub(crate) path: String,
    pub(crate) header: FileHeader,
    /// Last LSN that must be readable in it.
    pub(crate) last: Lsn,
}

/// A newest file whose creation was interrupted.
#[derive(Debug)]
pub(crate) struct Unfinished {
    pub(crate) path: String,
    pub(crate) first: Lsn,
    /// It has bytes behind the place of its header.
    pub(crate) holds_bytes: bool,
}

/// The files of a log.
#[derive(Debug, Default)]
pub(crate) struct Chain {
    /// First LSNs of files wholly below the wanted LSN, or released, which were not opened; ascending.
    pub(crate) skipped: Vec<Lsn>,
    /// Files to read, oldest first. The last one is the newest of the log.
    pub(crate) files: Vec<LogFile>,
    /// The verdict on the newest file.
    pub(crate) tail: Option<Tail>,
    pub(crate) unfinished: Option<Unfinished>,
    pub(crate) released: Released,
    /// Damage found on the way, but for that in the newest file, which is in `tail`. `files` holds what can be read
    /// in spite of it.
    pub(crate) faults: Vec<Error>,
}

impl Chain {
    /// The damage that keeps this log from being read as if nothing had happened.
    pub(crate) fn fault(&self) -> Option<&Error> {
        self.faults
            .first()
            .or(self.tail.as_ref().and_then(|tail| tail.fault.as_ref()))
    }
}

/// Surveys the log in `dir`, of which frames from `from` on are wanted (0: all that were not released).
pub(crate) fn survey(disk: &dyn Disk, dir: &str, from: Lsn) -> Result<Chain> {
    let names = match disk.list(dir) {
        Err(vdb_vfs::Error::NotFound { .. }) => Vec::new(),
        names => names?,
    };
    let mut firsts: Vec<Lsn> = names
        .iter()
        .filter_map(|name| format::parse_file_name(name))
        .collect();
    firsts.sort_unstable();

    let mut chain = Chain::default();
    // After listing: a file that has gone since was noted before it went.
    let released = Released::read(disk, dir);
    chain.released = released.as_ref().copied().unwrap_or_default();
    let from = from.max(chain.released.lsn + 1);
    // What the file just looked at (the one newer than the next in this loop) says of its predecessor.
    let mut newer: Option<FileHeader> = None;
    while let Some(first) = firsts.pop() {
        if newer.is_some_and(|newer| newer.prev_last < from) {
            firsts.push(first);
            break;
        }
        let path = format::path_in(dir, &format::file_name(first));
        let mut cursor = Cursor::open(disk, &path)?;
        let is_newest = newer.is_none() && chain.unfinished.is_none() && chain.faults.is_empty();
        let header = match identify(&mut cursor, first)? {
            Identity::Sound(header) => header,
            Identity::Version(found) => {
                let path = disk.display(&path);
                chain.faults.push(
                    vdb_vfs::Error::Version {
                        path,
                        kind: "log",
                        found,
                        min: VERSION,
                        max: VERSION,
                    }
                    .into(),
                );
                continue;
            }
            Identity::Empty { holds_bytes } if is_newest => {
                chain.unfinished = Some(Unfinished {
                    path,
                    first,
                    holds_bytes,
                });
                continue;
            }
            Identity::Empty { .. } => {
                chain.faults.push(header_fault(disk, &path));
                continue;
            }
            Identity::Headless { salt } => {
                chain.faults.push(header_fault(disk, &path));
                let prev_first = firsts.last().copied().unwrap_or(0);
                FileHeader {
                    salt,
                    first,
                    prev_first,
                    prev_last: first - 1,
                }
            }
        };
        let last = match newer {
            None => {
                let tail = tail::judge(&mut cursor, header.salt, first, &disk.display(&path))?;
                let last = tail.last;
                chain.tail = Some(tail);
                last
            }
            Some(newer) if newer.prev_first == first => newer.prev_last,
            Some(newer) => {
                chain.faults.push(missing(disk, dir, &newer));
                let next = if newer.prev_first > first {
                    newer.prev_first
                } else {
                    newer.first
                };
                next - 1
            }
        };
        chain.files.push(LogFile { path, header, last });
        newer = Some(header);
    }
    chain.files.reverse();
    chain.skipped = firsts;
    match released {
        Err(error @ Error::Corrupt { .. }) => chain.faults.push(error),
        Err(error) => return Err(error),
        Ok(Released { lsn, .. }) => {
            if let Some(oldest) = newer
                && chain.skipped.is_empty()
                && oldest.prev_first > 0
                && oldest.prev_last >= from
            {
                chain.faults.push(missing(disk, dir, &oldest));
            }
            // The file that is being written is never released.
            let last = chain.tail.as_ref().map_or(0, |tail| tail.last);
            if last < lsn && chain.faults.is_empty() {
                chain.faults.push(Error::Missing {
                    path: disk.display(&format::path_in(dir, &format::file_name(lsn + 1))),
                    first: last + 1,
                    last: lsn,
                });
            }
        }
    }
    Ok(chain)
}

enum Identity {
    Sound(FileHeader),
    Version(u16),
    /// No header and no frame.
    Empty {
        holds_bytes: bool,
    },
    /// No header, yet frames.
    Headless {
        salt: u32,
    },
}

fn identify(cursor: &mut Cursor, first: Lsn) -> Result<Identity> {
    match cursor.file_header()? {
        Ok(header) if header.first == first => return Ok(Identity::Sound(header)),
        Err(HeaderFault::Version(found)) => return Ok(Identity::Version(found)),
        Ok(_) | Err(HeaderFault::Damaged) => {}
    }
    let mut at = FILE_HEADER_BYTES as u64;
    while let Some((offset, frame)) = cursor.seek(at, None)? {
        if frame.lsn >= first {
            return Ok(Identity::Headless { salt: frame.salt });
        }
        at = offset + frame.frame_bytes();
    }
    let start = (FILE_HEADER_BYTES as u64).min(cursor.len());
    Ok(Identity::Empty {
        holds_bytes: cursor.written_end(start)? > start,
    })
}

fn header_fault(disk: &dyn Disk, path: &str) -> Error {
    let what = "the header of the log file is not readable".to_owned();
    Error::Corrupt {
        path: disk.display(path),
        offset: 0,
        what,
    }
}

fn missing(disk: &dyn Disk, dir: &str, newer: &FileHeader) -> Error {
    let path = disk.display(&format::path_in(dir, &format::file_name(newer.prev_first)));
    Error::Missing {
        path,
        first: newer.prev_first,
        last: newer.prev_last,
    }
}

#[cfg(test)]
mod tests;
