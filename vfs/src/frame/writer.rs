//! Streams a frame out: bounded memory, one pass, checksums on the way.

use crc32fast::Hasher;

use super::format::{
    CHUNK, FileKind, MAX_META, MAX_SECTIONS, PRELUDE_LEN, Prelude, SECTION_ALIGN, Section, encode_entry,
    encode_prelude,
};
use crate::{Disk, Error, File, Result};

/// A file is written in steps of so many bytes, a huge page of most processors, each beginning at a multiple of it: file
/// systems that keep files in memory by as much as was written at a time (ext4 since Linux 6.16, XFS) then map it by huge
/// pages, and a walk that jumps about in it waits less for addresses to be looked up.
pub const STEP: usize = 2 << 20;

/// What identifies a finished file; a manifest records it and compares it with [`Frame`](super::Frame) on opening.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameInfo {
    /// Length of the file in bytes.
    pub len: u64,
    /// Checksum over, through the other checksums, every byte of the file.
    pub crc: u32,
}

/// Writes one file, section after section. The file is not readable before [`FrameWriter::finish`] has returned.
#[derive(Debug)]
pub struct FrameWriter {
    file: Box<dyn File>,
    path: String,
    kind: FileKind,
    meta: Vec<u8>,
    /// Bytes that follow the first `flushed` ones of the file, which are whole steps.
    buffer: Vec<u8>,
    flushed: u64,
    done: Vec<Finished>,
    open: Option<Open>,
}

#[derive(Debug)]
struct Finished {
    section: Section,
    sums: Vec<u8>,
}

/// The section being written.
#[derive(Debug)]
struct Open {
    offset: u64,
    len: u64,
    sums: Vec<u8>,
    chunk: Hasher,
}

impl FrameWriter {
    /// Creates the file at `path`, or truncates it. `meta` (at most [`MAX_META`] bytes) is checked whenever the file
    /// is opened.
    ///
    /// # Errors
    /// Those of the disk, and [`Error::Io`] where `meta` is too long.
    pub fn create(disk: &dyn Disk, path: &str, kind: FileKind, meta: &[u8]) -> Result<Self> {
        let mut writer = FrameWriter {
            file: disk.create(path)?,
            path: disk.display(path),
            kind,
            meta: Vec::new(),
            // The prelude's place: written last, so that an unfinished file is known for one.
            buffer: vec![0; PRELUDE_LEN],
            flushed: 0,
            done: Vec::new(),
            open: None,
        };
        writer.set_meta(meta)?;
        Ok(writer)
    }

    /// Replaces the meta given to [`FrameWriter::create`], for what is known only after the data.
    pub fn set_meta(&mut self, meta: &[u8]) -> Result<()> {
        if meta.len() > MAX_META as usize {
            return Err(self.too_large("more meta than a file can hold"));
        }
        self.meta = meta.to_vec();
        Ok(())
    }

    /// Ends the current section, starts the next one, and returns its index.
    pub fn begin_section(&mut self) -> Result<u32> {
        self.end_section()?;
        let index = self.done.len() as u32;
        if index >= MAX_SECTIONS {
            return Err(self.too_large("more sections than a file can hold"));
        }
        self.open = Some(Open {
            offset: self.position(),
            len: 0,
            sums: Vec::new(),
            chunk: Hasher::new(),
        });
        Ok(index)
    }

    /// Appends to the current section; begins the first one where there is none.
    pub fn write(&mut self, data: &[u8]) -> Result<()> {
        if self.open.is_none() {
            self.begin_section()?;
        }
        if let Some(open) = &mut self.open {
            open.add(data);
        }
        self.put(data)
    }

    /// Bytes written to the current section so far.
    pub fn section_len(&self) -> u64 {
        self.open.as_ref().map_or(0, |open| open.len)
    }

    /// Writes checksums, table and prelude, and syncs the file. The caller syncs the directory.
    ///
    /// # Errors
    /// Those of the disk. What was written is then of no use, and is the caller's to remove.
    pub fn finish(mut self) -> Result<FrameInfo> {
        self.end_section()?;
        let done = std::mem::take(&mut self.done);
        for finished in &done {
            self.put(&finished.sums)?;
        }
        let table = self.position();
        let mut footer = Vec::new();
        for finished in &done {
            encode_entry(&finished.section, &mut footer);
        }
        footer.extend_from_slice(&self.meta);
        self.put(&footer)?;
        let len = self.position();
        let (prelude, crc) = encode_prelude(&Prelude {
            kind: self.kind.magic,
            version: self.kind.version,
            sections: done.len() as u32,
            file_len: len,
            table,
            meta_len: self.meta.len() as u32,
            footer_crc: crc32fast::hash(&footer),
            crc: 0,
        });
        if self.flushed == 0 {
            self.buffer[..PRELUDE_LEN].copy_from_slice(&prelude);
            self.file.write_all_at(&self.buffer, 0)?;
        } else {
            self.file.write_all_at(&self.buffer, self.flushed)?;
            self.file.write_all_at(&prelude, 0)?;
        }
        self.file.sync_all()?;
        Ok(FrameInfo { len, crc })
    }

    fn end_section(&mut self) -> Result<()> {
        let Some(open) = self.open.take() else {
            return Ok(());
        };
        self.done.push(open.end());
        let padding = self.position().next_multiple_of(SECTION_ALIGN) - self.position();
        self.put(&[0; SECTION_ALIGN as usize][..padding as usize])
    }

    fn position(&self) -> u64 {
        self.flushed + self.buffer.len() as u64
    }

    fn put(&mut self, mut data: &[u8]) -> Result<()> {
        while self.buffer.len() + data.len() >= STEP {
            let (now, rest) = data.split_at(STEP - self.buffer.len());
            data = rest;
            if self.buffer.is_empty() {
                self.file.write_all_at(now, self.flushed)?;
            } else {
                self.buffer.extend_from_slice(now);
                self.file.write_all_at(&self.buffer, self.flushed)?;
                self.buffer.clear();
            }
            self.begin_sync()?;
        }
        self.buffer.extend_from_slice(data);
        Ok(())
    }

    /// Counts a step that was written. The disk is told to begin with it, and the one before is waited for: the sync at the
    /// end finds less to do, and syncs of other files, the log's above all, queue behind two steps at most.
    fn begin_sync(&mut self) -> Result<()> {
        let (step, begun) = (STEP as u64, self.flushed);
        self.flushed += step;
        self.file.start_sync(begun, step);
        if let Some(before) = begun.checked_sub(step) {
            self.file.wait_started(before, step)?;
        }
        Ok(())
    }

    fn too_large(&self, what: &'static str) -> Error {
        let source = std::io::Error::new(std::io::ErrorKind::InvalidInput, what);
        Error::Io {
            path: self.path.clone(),
            op: "write",
            source,
        }
    }
}

impl Open {
    fn add(&mut self, mut data: &[u8]) {
        while !data.is_empty() {
            let filled = (self.len % CHUNK as u64) as usize;
            let (now, rest) = data.split_at(data.len().min(CHUNK - filled));
            self.chunk.update(now);
            self.len += now.len() as u64;
            if filled + now.len() == CHUNK {
                self.end_chunk();
            }
            data = rest;
        }
    }

    fn end_chunk(&mut self) {
        let sum = std::mem::take(&mut self.chunk).finalize();
        self.sums.extend_from_slice(&sum.to_le_bytes());
    }

    fn end(mut self) -> Finished {
        if !self.len.is_multiple_of(CHUNK as u64) {
            self.end_chunk();
        }
        // `sums` of the section is only known when all sections are; it is not stored.
        let section = Section {
            offset: self.offset,
            len: self.len,
            sums_crc: crc32fast::hash(&self.sums),
            sums: 0,
        };
        Finished {
            section,
            sums: self.sums,
        }
    }
}
