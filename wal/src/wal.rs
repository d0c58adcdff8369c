//! The handle: append, sync, rotate, release, close.

use std::collections::VecDeque;
use std::sync::Arc;

use vdb_sys::sync::Mutex;
use vdb_sys::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use vdb_vfs::DynDisk;

use crate::Lsn;
use crate::commit::{GroupCommit, Syncs};
use crate::error::{Error, Result};
use crate::format::{self, FLAG_CLOSED, FileHeader, FrameHeader, MAX_BODY_BYTES};
use crate::options::WalOptions;
use crate::recover::{self, RecoveryReport, Sealed};
use crate::released::Released;
use crate::replay::{Item, Replay};
use crate::segment::{self, Failure, Segment};

/// A file whose records are all released is finished, so that it can be removed, from this length on. Reading less at
/// the next opening costs about a millisecond; another file costs a few syncs now.
const WORTH_FINISHING: u64 = 1 << 20;

/// A write-ahead log open for appending. All methods take `&self` and may be called from any thread.
#[derive(Debug)]
pub struct Wal {
    disk: DynDisk,
    dir: String,
    segment_bytes: u64,
    writer: Mutex<Writer>,
    commit: Arc<GroupCommit>,
    sealed: Mutex<VecDeque<Sealed>>,
    /// Locked after `sealed`.
    released: Mutex<Released>,
    /// No file is released any more: the directory may be another's. Looked at with `sealed` locked.
    ended: AtomicBool,
    sealed_bytes: AtomicU64,
    active_bytes: AtomicU64,
    appended_bytes: AtomicU64,
    /// Shared with the recovery stream: files are not released while one reads them.
    readers: Arc<()>,
}

#[derive(Debug)]
struct Writer {
    segment: Segment,
    last: Lsn,
    /// The mark of a clean close is in place.
    marked: bool,
    closed: bool,
    scratch: Vec<u8>,
}

impl Wal {
    /// Opens the log in `dir`, or creates one. What a crash left unfinished is dealt with, and what stands is
    /// durable, when this returns; the records are read as [`Recovered`] is asked for them.
    ///
    /// The caller holds the database's lock: no other process has the log open for appending.
    ///
    /// # Errors
    /// [`Error::Corrupt`] and [`Error::Missing`] for damage to what was synced (the files are left as they are), and
    /// failures of the disk.
    pub fn open(disk: DynDisk, dir: &str, options: WalOptions) -> Result<(Wal, Recovered)> {
        let recovery = recover::recover(&*disk, dir)?;
        let commit = Arc::new(GroupCommit::new(recovery.segment.file.clone(), recovery.last));
        let readers = Arc::new(());
        let recovered = Recovered {
            report: recovery.report,
            replay: Replay::over(disk.clone(), recovery.files, 0),
            commit: commit.clone(),
            _reader: readers.clone(),
        };
        let wal = Wal {
            disk,
            dir: dir.to_owned(),
            segment_bytes: options.segment_bytes,
            commit,
            sealed_bytes: AtomicU64::new(recovery.sealed.iter().map(|file| file.bytes).sum()),
            sealed: Mutex::new(recovery.sealed),
            released: Mutex::new(recovery.released),
            ended: AtomicBool::new(false),
            active_bytes: AtomicU64::new(recovery.segment.end),
            appended_bytes: AtomicU64::new(0),
            readers,
            writer: Mutex::new(Writer {
                segment: recovery.segment,
                last: recovery.last,
                marked: recovery.marked,
                closed: false,
                scratch: Vec::new(),
            }),
        };
        Ok((wal, recovered))
    }

    /// Appends a record whose body is `parts` back to back, and returns its LSN: one more than the last. It is in the
    /// system's page cache then; [`sync`](Self::sync) makes it durable.
    ///
    /// # Errors
    /// [`Error::NoSpace`] when the disk is full and [`Error::TooLarge`] when the body is longer than
    /// [`MAX_BODY_BYTES`]: nothing was written, no LSN was used, and later appends may succeed. Any other failure of
    /// the disk poisons the log; whether the record is there when it is next opened is unknown then.
    pub fn append(&self, kind: u8, collection: u32, parts: &[&[u8]]) -> Result<Lsn> {
        self.append_with(kind, collection, parts, false)
    }

    /// Like [`append`](Self::append), but may use the last of the room that is kept for when the disk is full. For
    /// small records whose effect is to free space: deletes, and what compaction needs.
    ///
    /// # Errors
    /// As [`append`](Self::append).
    pub fn append_from_reserve(&self, kind: u8, collection: u32, parts: &[&[u8]]) -> Result<Lsn> {
        self.append_with(kind, collection, parts, true)
    }

    fn append_with(&self, kind: u8, collection: u32, parts: &[&[u8]], from_reserve: bool) -> Result<Lsn> {
        let bytes = parts.iter().map(|part| part.len() as u64).sum();
        let body_len = u32::try_from(bytes)
            .ok()
            .filter(|len| *len <= MAX_BODY_BYTES)
            .ok_or(Error::TooLarge {
                bytes,
                max: MAX_BODY_BYTES,
            })?;
        // Before the lock: summing a large body takes longer than writing a small one.
        let mut crc = crc32fast::Hasher::new();
        for part in parts {
            crc.update(part);
        }
        let body_crc = crc.finalize();

        let mut writer = self.writer.lock();
        if writer.closed {
            return Err(Error::Closed);
        }
        self.commit.check()?;
        let frame_bytes = format::frame_bytes(body_len);
        if writer.segment.holds_frames() && writer.segment.end + frame_bytes > self.segment_bytes {
            match self.rotate(&mut writer) {
                // The reserve lies in the file that is full otherwise; `write` below sees whether it suffices.
                Err(error) if from_reserve && error.is_no_space() => {}
                rotated => rotated?,
            }
        }
        let Writer {
            segment,
            last,
            marked,
            scratch,
            ..
        } = &mut *writer;
        let header = FrameHeader {
            salt: segment.header.salt,
            lsn: *last + 1,
            synced: self.commit.synced(),
            body_len,
            body_crc,
            collection,
            kind,
            flags: 0,
        };
        *marked = false;
        match segment.write(&header, parts, from_reserve, scratch) {
            Ok(()) => {
                *last = header.lsn;
                self.commit.wrote(header.lsn);
                self.active_bytes.store(segment.end, Ordering::Relaxed);
                self.appended_bytes.fetch_add(frame_bytes, Ordering::Relaxed);
                Ok(header.lsn)
            }
            Err(Failure::Refused(error)) => Err(error),
            Err(Failure::Broken(error)) => Err(self.commit.poison(error)),
        }
    }

    /// Finishes the file and begins the next. All of the old one is synced first: a newer file vouches for it.
    fn rotate(&self, writer: &mut Writer) -> Result<()> {
        self.commit.sync(writer.last)?;
        let old = &writer.segment.header;
        let header = FileHeader {
            salt: segment::draw_salt(old.salt),
            first: writer.last + 1,
            prev_first: old.first,
            prev_last: writer.last,
        };
        let path = format::path_in(&self.dir, &format::file_name(header.first));
        let new = match Segment::create(&*self.disk, &self.dir, path, header) {
            Ok(new) => new,
            Err(Failure::Refused(error)) => return Err(error),
            Err(Failure::Broken(error)) => return Err(self.commit.poison(error)),
        };
        self.commit.switch(new.file.clone());
        let old = std::mem::replace(&mut writer.segment, new);
        // A mark of a clean close stands in the old file.
        writer.marked = false;
        old.trim();
        self.sealed_bytes.fetch_add(old.end, Ordering::Relaxed);
        self.active_bytes.store(writer.segment.end, Ordering::Relaxed);
        self.sealed.lock().push_back(Sealed {
            first: old.header.first,
            last: writer.last,
            bytes: old.end,
            path: old.path,
        });
        Ok(())
    }

    /// Returns once every record up to `lsn` is durable. Callers that wait at the same time share one sync. An LSN
    /// that was not given out yet stands for the last one that was.
    ///
    /// # Errors
    /// [`Error::Poisoned`] when the sync failed, or anything before it; from then on every append and sync fails
    /// with the same cause. A record that was durable before stays acknowledged: syncing it again succeeds.
    pub fn sync(&self, lsn: Lsn) -> Result<()> {
        self.commit.sync(lsn)
    }

    /// Makes every record durable that was appended before this call.
    ///
    /// # Errors
    /// As [`sync`](Self::sync).
    pub fn sync_all(&self) -> Result<()> {
        self.commit.sync(Lsn::MAX)
    }

    /// Every record up to this LSN is durable.
    pub fn synced_lsn(&self) -> Lsn {
        self.commit.synced()
    }

    /// The LSN given out last; 0 before the first.
    pub fn last_lsn(&self) -> Lsn {
        self.commit.written()
    }

    /// The oldest LSN whose record the log may still hold.
    pub fn retained_from(&self) -> Lsn {
        let sealed = self.sealed.lock();
        match sealed.front() {
            Some(file) => file.first,
            None => {
                drop(sealed);
                self.writer.lock().segment.header.first
            }
        }
    }

    /// Bytes of the log: records and headers of all files that it retains.
    pub fn bytes(&self) -> u64 {
        self.sealed_bytes.load(Ordering::Relaxed) + self.active_bytes.load(Ordering::Relaxed)
    }

    /// Bytes of the records that were appended since the log was opened, with their headers.
    pub fn appended_bytes(&self) -> u64 {
        self.appended_bytes.load(Ordering::Relaxed)
    }

    /// How often the file being written was synced since the log was opened.
    pub fn syncs(&self) -> Syncs {
        self.commit.syncs()
    }

    /// Removes the files that hold no record above `lsn`; returns the bytes freed. The file being written is finished
    /// and goes too when it is long: the next opening would read it for nothing. Does nothing while a [`Recovered`] is
    /// alive, nor once the log is closed.
    ///
    /// # Errors
    /// Failures of the disk. They leave the log as sound as before, and a later call takes the removal up; but a failed
    /// sync of the directory poisons it.
    pub fn release(&self, lsn: Lsn) -> Result<u64> {
        if Arc::strong_count(&self.readers) == 1 {
            let mut writer = self.writer.lock();
            let segment = &writer.segment;
            // A close that failed has set the second alone.
            if !writer.closed
                && !self.ended.load(Ordering::Acquire)
                && segment.holds_frames()
                && writer.last <= lsn
                && segment.end >= WORTH_FINISHING
            {
                match self.rotate(&mut writer) {
                    // The log goes on in the file that it has.
                    Err(error) if error.is_no_space() => {}
                    rotated => rotated?,
                }
            }
        }
        let mut sealed = self.sealed.lock();
        if self.ended.load(Ordering::Acquire) {
            return Ok(0);
        }
        let last = sealed
            .iter()
            .take_while(|file| file.last <= lsn)
            .last()
            .map(|file| file.last);
        if let Some(last) = last
            && Arc::strong_count(&self.readers) == 1
        {
            // First it is said that they may be gone, then they go: a file that is missing otherwise was lost.
            match self.released.lock().ensure(&*self.disk, &self.dir, last) {
                Ok(()) => {}
                Err(Failure::Refused(error)) => return Err(error),
                Err(Failure::Broken(error)) => return Err(self.commit.poison(error)),
            }
        }
        let mut freed = 0;
        while let Some(file) = sealed.front()
            && file.last <= lsn
            && Arc::strong_count(&self.readers) == 1
        {
            match self.disk.remove(&file.path) {
                Ok(()) | Err(vdb_vfs::Error::NotFound { .. }) => {}
                Err(error) => return Err(error.into()),
            }
            // One at a time: were a newer name lost first, its absence would look like damage.
            if let Err(error) = self.disk.sync_dir(&self.dir) {
                return Err(self.commit.poison(error.into()));
            }
            freed += file.bytes;
            self.sealed_bytes.fetch_sub(file.bytes, Ordering::Relaxed);
            sealed.pop_front();
        }
        Ok(freed)
    }

    /// Syncs everything and marks the log as closed, so that the next opening knows of every record that it was
    /// durable. Later appends fail with [`Error::Closed`]. Dropping the handle instead loses nothing that was synced.
    ///
    /// # Errors
    /// As [`sync`](Self::sync).
    pub fn close(&self) -> Result<()> {
        self.end(true)
    }

    /// As [`close`](Self::close), without the mark: the next opening takes it for the end of a process that died, and does
    /// what is to be done then.
    ///
    /// # Errors
    /// As [`sync`](Self::sync).
    pub fn close_unmarked(&self) -> Result<()> {
        self.end(false)
    }

    fn end(&self, mark: bool) -> Result<()> {
        let mut writer = self.writer.lock();
        // Whatever fails below, the directory is given up: who releases files is waited for, and nobody begins any more.
        self.ended.store(true, Ordering::Release);
        drop(self.sealed.lock());
        self.commit.sync(writer.last)?;
        self.commit.check()?;
        if mark && !writer.closed && !writer.marked {
            let mark = FrameHeader {
                salt: writer.segment.header.salt,
                lsn: writer.last,
                synced: writer.last,
                body_len: 0,
                body_crc: 0,
                collection: 0,
                kind: 0,
                flags: FLAG_CLOSED,
            };
            match writer.segment.write_mark(&mark) {
                Ok(()) => self.commit.sync_now()?,
                // The mark is a convenience, and all records are durable without it.
                Err(vdb_vfs::Error::NoSpace { .. }) => {}
                Err(error) => return Err(self.commit.poison(error.into())),
            }
        }
        writer.closed = true;
        Ok(())
    }
}

/// The records that an opened log holds, and what opening it found and did.
#[derive(Debug)]
pub struct Recovered {
    report: RecoveryReport,
    replay: Replay,
    commit: Arc<GroupCommit>,
    _reader: Arc<()>,
}

impl Recovered {
    /// What opening found and did.
    pub fn report(&self) -> &RecoveryReport {
        &self.report
    }

    /// The next record that was not released, oldest first, or `None` behind the last one that was
    /// there at opening.
    ///
    /// # Errors
    /// As [`Replay::next_item`]. The log is poisoned then: what was acknowledged cannot be read, so nothing is to be
    /// appended on top.
    pub fn next_item(&mut self) -> Result<Option<Item<'_>>> {
        let commit = &self.commit;
        self.replay.next_item().inspect_err(|error| {
            commit.poison(error.clone());
        })
    }
}

#[cfg(test)]
mod tests;
