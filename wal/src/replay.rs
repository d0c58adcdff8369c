//! Handing out the frames of a log, one at a time, in order.
//!
//! Memory is bounded by the longest body. Nothing is modified; where the log ends was decided before
//! (`chain.rs`, `tail.rs`).
//!
//! # Beside a writer
//! [`Replay::open`] may run while another process appends, begins files and releases others. All files are opened
//! before the first record is read, and what is open stays readable after its name is gone. A caller that reads
//! other files of its own (those that records are brought into before a release) compares [`released_lsn`] from before
//! that with [`Replay::released`]: where the two are the same, no record went missing in between.

use std::collections::VecDeque;

use vdb_vfs::DynDisk;

use crate::Lsn;
use crate::chain::{self, Chain, LogFile};
use crate::cursor::Cursor;
use crate::error::{Error, Result};
use crate::format::FILE_HEADER_BYTES;
use crate::released::Released;
use crate::tail;

/// One record of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Its place in the log.
    pub lsn: Lsn,
    /// The collection given to `append`.
    pub collection: u32,
    /// The kind given to `append`.
    pub kind: u8,
    /// The parts given to `append`, back to back.
    pub body: &'a [u8],
    /// What tells it from any other record.
    pub mark: Mark,
}

/// Which record it was: one that a writer took back, as on a full disk, may be followed by another with its LSN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Its place in the log.
    pub lsn: Lsn,
    salt: u32,
    body_crc: u32,
}

/// Up to where the log in `dir` was released: records up to that one may be gone. 0 where nothing was.
///
/// # Errors
/// [`Error::Corrupt`] when that cannot be read, and failures of the disk.
pub fn released_lsn(disk: &DynDisk, dir: &str) -> Result<Lsn> {
    Ok(Released::read(&**disk, dir)?.lsn)
}

/// A record whose header is sound and whose body is not: it was synced, and is lost. Only its collection is concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Which file.
    pub path: String,
    /// Offset of the record in it, in bytes.
    pub offset: u64,
    /// The record that is lost.
    pub lsn: Lsn,
    /// The collection that it belonged to.
    pub collection: u32,
    /// The kind that it was.
    pub kind: u8,
    /// How long its body was, in bytes.
    pub bytes: u32,
}

/// What a replay comes across.
#[derive(Clone, Debug)]
pub enum Item<'a> {
    /// A record, as it was appended.
    Frame(Frame<'a>),
    /// A record that is lost; those behind it follow.
    Damaged(Damage),
    /// Only when salvaging: damage that ends an ordinary replay with this error. Whatever can be read behind it follows.
    Lost(Error),
}

/// A pass over the records of a log, oldest first.
///
/// Not an `Iterator`, because a record's body is lent until the next call.
#[derive(Debug)]
pub struct Replay {
    disk: DynDisk,
    files: VecDeque<LogFile>,
    /// Those of `files` that are open already, from the first on.
    open: VecDeque<Cursor>,
    reading: Option<Reading>,
    from: Lsn,
    released: Lsn,
    synced: Lsn,
    bytes: u64,
    salvage: bool,
    faults: VecDeque<Error>,
    body: Vec<u8>,
}

#[derive(Debug)]
struct Reading {
    cursor: Cursor,
    file: LogFile,
    at: u64,
    last: Lsn,
}

enum Step {
    Frame { mark: Mark, collection: u32, kind: u8 },
    Damaged(Damage),
    Lost(Error),
}

impl Replay {
    /// A pass over the log in `dir` as it is now, from the record `from` on (0: from the oldest that was not released).
    ///
    /// Meant for readers beside a writer in another process: takes no lock, modifies nothing, and ends where the log
    /// could be read when this was called.
    ///
    /// # Errors
    /// Damage to what was synced, missing files, and failures of the disk.
    pub fn open(disk: &DynDisk, dir: &str, from: Lsn) -> Result<Replay> {
        let mut attempts = 0;
        loop {
            match Replay::beside_writer(disk, dir, from) {
                // The writer released a file between our listing the directory and opening it.
                Err(Error::Disk(error))
                    if matches!(error.get(), vdb_vfs::Error::NotFound { .. }) && attempts < 8 =>
                {
                    attempts += 1;
                }
                opened => return opened,
            }
        }
    }

    fn beside_writer(disk: &DynDisk, dir: &str, from: Lsn) -> Result<Replay> {
        let chain = chain::survey(&**disk, dir, from)?;
        if let Some(fault) = chain.fault() {
            return Err(fault.clone());
        }
        let open: VecDeque<Cursor> = chain
            .files
            .iter()
            .map(|file| Cursor::open(&**disk, &file.path))
            .collect::<Result<_>>()?;
        Ok(Replay {
            released: chain.released.lsn,
            bytes: open.iter().map(Cursor::len).sum(),
            open,
            ..Replay::over(disk.clone(), chain.files, from)
        })
    }

    /// Up to where the log had been released when it was opened; only known of a pass made by [`open`](Self::open).
    pub fn released(&self) -> Lsn {
        self.released
    }

    /// Bytes of the files that are read; only known of a pass made by [`open`](Self::open).
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The greatest LSN that the log says was synced; only known of a pass made by [`salvage`](Self::salvage).
    pub fn synced(&self) -> Lsn {
        self.synced
    }

    /// A pass that steps over damage instead of ending at it, and says what was lost ([`Item::Lost`]).
    ///
    /// # Errors
    /// Failures of the disk.
    pub fn salvage(disk: &DynDisk, dir: &str) -> Result<Replay> {
        Ok(Replay::salvage_chain(
            disk.clone(),
            chain::survey(&**disk, dir, 0)?,
        ))
    }

    pub(crate) fn salvage_chain(disk: DynDisk, chain: Chain) -> Replay {
        Replay {
            synced: chain.tail.as_ref().map_or(0, |tail| tail.synced),
            salvage: true,
            faults: chain.faults.into(),
            ..Replay::over(disk, chain.files, 0)
        }
    }

    pub(crate) fn over(disk: DynDisk, files: Vec<LogFile>, from: Lsn) -> Replay {
        Replay {
            disk,
            files: files.into(),
            open: VecDeque::new(),
            reading: None,
            from,
            released: 0,
            synced: 0,
            bytes: 0,
            salvage: false,
            faults: VecDeque::new(),
            body: Vec::new(),
        }
    }

    /// The next record, or `None` behind the last one.
    ///
    /// # Errors
    /// Damage that leaves the records behind it in doubt, missing files, and failures of the disk; the replay is over
    /// then. A damaged body is no error but [`Item::Damaged`].
    pub fn next_item(&mut self) -> Result<Option<Item<'_>>> {
        let step = match self.step() {
            Ok(step) => step,
            Err(error) => {
                self.reading = None;
                self.files.clear();
                self.open.clear();
                self.faults.clear();
                return Err(error);
            }
        };
        Ok(step.map(|step| match step {
            Step::Frame {
                mark,
                collection,
                kind,
            } => Item::Frame(Frame {
                lsn: mark.lsn,
                collection,
                kind,
                body: &self.body,
                mark,
            }),
            Step::Damaged(damage) => Item::Damaged(damage),
            Step::Lost(error) => Item::Lost(error),
        }))
    }

    fn step(&mut self) -> Result<Option<Step>> {
        if let Some(fault) = self.faults.pop_front() {
            return Ok(Some(Step::Lost(fault)));
        }
        loop {
            let Some(reading) = &mut self.reading else {
                let Some(file) = self.files.pop_front() else {
                    return Ok(None);
                };
                let cursor = match self.open.pop_front() {
                    Some(cursor) => cursor,
                    None => Cursor::open(&*self.disk, &file.path)?,
                };
                let last = file.header.first - 1;
                self.reading = Some(Reading {
                    cursor,
                    file,
                    at: FILE_HEADER_BYTES as u64,
                    last,
                });
                continue;
            };
            if reading.last >= reading.file.last {
                self.reading = None;
                continue;
            }
            let at = reading.at;
            let following = tail::following(&mut reading.cursor, reading.file.header.salt, at, reading.last)?;
            let Some(header) = following.filter(|header| !header.is_closed_mark()) else {
                let error = reading.lost(&self.disk.display(&reading.file.path));
                if !self.salvage {
                    return Err(error);
                }
                if !reading.resume()? {
                    self.reading = None;
                }
                return Ok(Some(Step::Lost(error)));
            };
            reading.at += header.frame_bytes();
            reading.last = header.lsn;
            if header.lsn < self.from {
                continue;
            }
            if reading.cursor.read_body(at, &header, &mut self.body)? {
                let mark = Mark {
                    lsn: header.lsn,
                    salt: header.salt,
                    body_crc: header.body_crc,
                };
                let (collection, kind) = (header.collection, header.kind);
                return Ok(Some(Step::Frame {
                    mark,
                    collection,
                    kind,
                }));
            }
            return Ok(Some(Step::Damaged(Damage {
                path: self.disk.display(&reading.file.path),
                offset: at,
                lsn: header.lsn,
                collection: header.collection,
                kind: header.kind,
                bytes: header.body_len,
            })));
        }
    }
}

impl Reading {
    fn lost(&self, path: &str) -> Error {
        let what = format!(
            "no record {} there, though the file was synced up to record {}",
            self.last + 1,
            self.file.last
        );
        Error::Corrupt {
            path: path.to_owned(),
            offset: self.at,
            what,
        }
    }

    /// Moves on to the next sound frame behind damage; false when the file has none that is wanted.
    fn resume(&mut self) -> Result<bool> {
        let mut from = self.at;
        while let Some((offset, header)) = self.cursor.seek(from, Some(self.file.header.salt))? {
            if header.lsn > self.last && header.lsn <= self.file.last && !header.is_closed_mark() {
                self.at = offset;
                self.last = header.lsn - 1;
                return Ok(true);
            }
            from = offset + header.frame_bytes();
        }
        Ok(false)
    }
}
