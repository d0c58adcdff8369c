//! Opens a frame in constant time, and verifies one by reading it all.

use std::ops::{Range, RangeInclusive};
use std::sync::Arc;

use super::format::{CHUNK, FileKind, PRELUDE_LEN, Prelude, SUM_LEN, Section, decode_prelude, decode_table};
use super::sound::SoundChunks;
use super::writer::FrameInfo;
use crate::disk::FileSlice;
use crate::{Disk, Error, File, FileView, Result};

/// An open file. Prelude, table and meta are checked; the data is as the disk has it.
#[derive(Clone, Debug)]
pub struct Frame {
    pub(super) view: FileView,
    path: String,
    shown: String,
    kind: FileKind,
    prelude: Prelude,
    pub(super) sections: Vec<Section>,
    /// Of each section.
    pub(super) sound: Arc<[SoundChunks]>,
    meta: Range<usize>,
}

impl Frame {
    /// Maps the file at `path`, which must be of `kind` and of one of `versions`.
    ///
    /// # Errors
    /// [`Error::Corrupt`] for a damaged or foreign file, [`Error::Version`] for a version outside `versions`, and
    /// those of the disk. Takes time and memory independent of the size of the data.
    pub fn open(disk: &dyn Disk, path: &str, kind: FileKind, versions: RangeInclusive<u16>) -> Result<Frame> {
        let (view, shown) = (disk.map(path)?, disk.display(path));
        let len = view.len() as u64;
        let head = view.first_chunk().ok_or_else(|| too_short(&shown, len))?;
        let prelude = decode_prelude(head, len, &shown, kind, &versions)?;
        // In range, as `decode_prelude` has checked.
        let footer = view.get(prelude.table as usize..).unwrap_or(&[]);
        let sections = decode_table(footer, &prelude, &shown)?;
        let meta = view.len() - prelude.meta_len as usize..view.len();
        Ok(Frame {
            path: path.to_owned(),
            shown,
            kind,
            prelude,
            sound: sections.iter().map(|_| SoundChunks::default()).collect(),
            sections,
            meta,
            view,
        })
    }

    /// The version of the file's kind that it has.
    pub fn version(&self) -> u16 {
        self.prelude.version
    }

    /// Length and checksum, as the writer returned them.
    pub fn info(&self) -> FrameInfo {
        FrameInfo {
            len: self.prelude.file_len,
            crc: self.prelude.crc,
        }
    }

    /// The meta that the writer was given.
    pub fn meta(&self) -> &[u8] {
        self.view.get(self.meta.clone()).unwrap_or(&[])
    }

    /// How many sections the file has.
    pub fn sections(&self) -> u32 {
        self.prelude.sections
    }

    /// Refuses a file that does not have exactly `expected` sections.
    ///
    /// # Errors
    /// [`Error::Corrupt`].
    pub fn require_sections(&self, expected: u32) -> Result<()> {
        if self.sections() == expected {
            return Ok(());
        }
        let what = format!("{} sections, expected {expected}", self.sections());
        Err(self.corrupt(0, what))
    }

    /// Where meta starts in the file.
    pub fn meta_at(&self) -> u64 {
        self.info().len.saturating_sub(self.meta().len() as u64)
    }

    /// The data of one section, 64-byte aligned.
    ///
    /// # Errors
    /// [`Error::Corrupt`] where the file has no such section.
    pub fn section(&self, index: u32) -> Result<FileSlice> {
        let section = self.sections.get(index as usize);
        let slice = section.and_then(|s| self.view.slice(s.offset as usize..(s.offset + s.len) as usize));
        slice.ok_or_else(|| {
            let what = format!(
                "{} sections, expected one with index {index}",
                self.prelude.sections
            );
            self.corrupt(0, what)
        })
    }

    /// An error about the data of section `index` at `offset` in it, for readers that find it inconsistent.
    pub fn corrupt_section(&self, index: u32, offset: u64, what: impl Into<String>) -> Error {
        let start = self.sections.get(index as usize).map_or(0, |s| s.offset);
        self.corrupt(start.saturating_add(offset), what)
    }

    /// An error about the bytes at `offset` in the file.
    pub fn corrupt(&self, offset: u64, what: impl Into<String>) -> Error {
        Error::Corrupt {
            path: self.shown.clone(),
            offset,
            what: what.into(),
        }
    }

    /// Where the file lies, for messages to people.
    pub fn display(&self) -> &str {
        &self.shown
    }

    /// The whole file.
    pub fn view(&self) -> &FileView {
        &self.view
    }

    /// Reads the whole file from the disk, not through the mapping, and checks every byte of it.
    ///
    /// # Errors
    /// [`Error::Corrupt`] with the first damaged chunk, also where the file is no longer the one that was opened;
    /// those of the disk.
    pub fn verify(&self, disk: &dyn Disk) -> Result<()> {
        let found = verify(disk, &self.path, self.kind, self.version()..=self.version())?;
        if found == self.info() {
            return Ok(());
        }
        let (is, was) = (found.crc, self.prelude.crc);
        Err(self.corrupt(
            0,
            format!("file has the checksum {is:08x}, it was opened with {was:08x}"),
        ))
    }
}

/// Reads the whole file at `path` in chunks of [`CHUNK`] bytes and checks every byte of it, without mapping it.
///
/// # Errors
/// As [`Frame::open`]; [`Error::Corrupt`] names the first damaged chunk.
pub fn verify(
    disk: &dyn Disk,
    path: &str,
    kind: FileKind,
    versions: RangeInclusive<u16>,
) -> Result<FrameInfo> {
    let reader = Reader {
        file: disk.open(path, false)?,
        shown: disk.display(path),
    };
    let len = reader.file.len()?;
    let mut head = [0; PRELUDE_LEN];
    if reader.file.read_at(&mut head, 0)? < PRELUDE_LEN {
        return Err(too_short(&reader.shown, len));
    }
    let prelude = decode_prelude(&head, len, &reader.shown, kind, &versions)?;
    // Bounded by the limits on sections and meta, which `decode_prelude` has checked.
    let mut footer = vec![0; (len - prelude.table) as usize];
    reader.fill(&mut footer, prelude.table)?;
    let sections = decode_table(&footer, &prelude, &reader.shown)?;
    let mut buf = Vec::new();
    for (i, section) in sections.iter().enumerate() {
        reader.check_sums(i, section, &mut buf)?;
        reader.check_data(i, section, &mut buf)?;
    }
    Ok(FrameInfo {
        len,
        crc: prelude.crc,
    })
}

fn too_short(shown: &str, len: u64) -> Error {
    let what = format!("file ends, expected a prelude of {PRELUDE_LEN} bytes");
    Error::Corrupt {
        path: shown.to_owned(),
        offset: len,
        what,
    }
}

/// What is wrong with a chunk of section `index`, if it is not what its checksum was made of.
pub(super) fn difference(index: usize, chunk: &[u8], sum: [u8; SUM_LEN as usize]) -> Option<String> {
    let (crc, wanted) = (crc32fast::hash(chunk), u32::from_le_bytes(sum));
    (crc != wanted).then(|| {
        format!(
            "{} bytes of section {index} have the checksum {crc:08x}, expected {wanted:08x}",
            chunk.len()
        )
    })
}

/// What is wrong with the list of checksums of section `index`, which has the checksum `crc`, if it is not what the table says.
pub(super) fn sums_difference(index: usize, section: &Section, crc: u32) -> Option<String> {
    let wanted = section.sums_crc;
    (crc != wanted).then(|| format!("checksums of section {index} give {crc:08x}, expected {wanted:08x}"))
}

/// Reads a file without mapping it.
pub(super) struct Reader {
    pub(super) file: Box<dyn File>,
    pub(super) shown: String,
}

impl Reader {
    pub(super) fn fill(&self, buf: &mut [u8], offset: u64) -> Result<()> {
        let n = self.file.read_at(buf, offset)?;
        if n == buf.len() {
            return Ok(());
        }
        let what = format!("the file ends there, expected {} bytes more", buf.len() - n);
        Err(self.corrupt(offset + n as u64, what))
    }

    pub(super) fn corrupt(&self, offset: u64, what: String) -> Error {
        Error::Corrupt {
            path: self.shown.clone(),
            offset,
            what,
        }
    }

    /// Checks the list of checksums itself: otherwise its damage would pass for damage of the data.
    fn check_sums(&self, index: usize, section: &Section, buf: &mut Vec<u8>) -> Result<()> {
        let mut crc = crc32fast::Hasher::new();
        let end = section.sums + section.sums_len();
        let mut at = section.sums;
        while at < end {
            self.read_chunk(buf, at, end)?;
            crc.update(buf);
            at += buf.len() as u64;
        }
        match sums_difference(index, section, crc.finalize()) {
            None => Ok(()),
            Some(what) => Err(self.corrupt(section.sums, what)),
        }
    }

    fn check_data(&self, index: usize, section: &Section, buf: &mut Vec<u8>) -> Result<()> {
        let end = section.offset + section.len;
        let mut at = section.offset;
        let mut sum_at = section.sums;
        while at < end {
            self.read_chunk(buf, at, end)?;
            let mut sum = [0; SUM_LEN as usize];
            self.fill(&mut sum, sum_at)?;
            self.compare(index, buf, at, sum)?;
            at += buf.len() as u64;
            sum_at += SUM_LEN;
        }
        self.check_padding(index, section, buf)
    }

    /// Compares a chunk, which lies at `at` in section `index`, with its checksum.
    pub(super) fn compare(
        &self,
        index: usize,
        chunk: &[u8],
        at: u64,
        sum: [u8; SUM_LEN as usize],
    ) -> Result<()> {
        match difference(index, chunk, sum) {
            None => Ok(()),
            Some(what) => Err(self.corrupt(at, what)),
        }
    }

    pub(super) fn check_padding(&self, index: usize, section: &Section, buf: &mut Vec<u8>) -> Result<()> {
        let end = section.offset + section.len;
        self.read_chunk(buf, end, section.padded_end())?;
        match buf.iter().position(|&b| b != 0) {
            None => Ok(()),
            Some(i) => Err(self.corrupt(end + i as u64, format!("padding of section {index} is not zero"))),
        }
    }

    /// Reads up to one chunk of what lies between `at` and `end`.
    pub(super) fn read_chunk(&self, buf: &mut Vec<u8>, at: u64, end: u64) -> Result<()> {
        buf.resize((end - at).min(CHUNK as u64) as usize, 0);
        self.fill(buf, at)
    }
}
