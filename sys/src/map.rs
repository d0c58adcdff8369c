//! Read-only memory maps of files.

use std::fmt;
use std::fs::File;
use std::io;
use std::ops::{Deref, Range};

/// What the reader is about to do with a mapping. Hints: the system may ignore them, and errors
/// are not reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Advice {
    /// No particular pattern; undoes `Random` and `Sequential`.
    Normal,
    /// Single rows in no order: read-ahead is switched off.
    Random,
    /// From front to back: aggressive read-ahead.
    Sequential,
    /// Soon needed: start reading now. Linux reads as much as it reads ahead at a time, which can be 128 KiB, and leaves the rest.
    WillNeed,
}

/// A file's first bytes as memory, read-only and shared.
///
/// The bytes are those of the file: the project's mapped files are immutable once written, and the
/// directory lock keeps other writers of the project away. Should another program nevertheless
/// truncate the file, touching the lost pages kills the process with `SIGBUS`; should it overwrite
/// bytes, readers see them change. Both are outside the promise that this type can make, because
/// the operating system offers no way to forbid them.
pub struct Map {
    /// `None` for length 0, which the system refuses to map.
    inner: Option<memmap2::Mmap>,
}

impl Map {
    /// Maps bytes `0..len` of `file`. The file may be closed afterwards.
    ///
    /// # Errors
    /// `UnexpectedEof` if the file is shorter than `len`; whatever the system says otherwise.
    pub fn new(file: &File, len: usize) -> io::Result<Self> {
        let have = file.metadata()?.len();
        if u64::try_from(len).map_or(true, |len| len > have) {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                format!("cannot map {len} bytes: the file has {have}"),
            ));
        }
        if len == 0 {
            return Ok(Self { inner: None });
        }
        // SAFETY: the mapping is read-only and lies within the file as just checked, so no access
        // through it faults unless someone truncates the file later: item 5 of the charter.
        let inner = unsafe { memmap2::MmapOptions::new().len(len).map(file)? };
        Ok(Self { inner: Some(inner) })
    }

    /// How many of the bytes are in memory now, in whole pages, whoever brought them there: those that can be read
    /// without waiting for the disk.
    ///
    /// # Errors
    /// `Unsupported` where the system cannot tell; otherwise what it says.
    pub fn resident_bytes(&self) -> io::Result<u64> {
        match &self.inner {
            Some(map) => resident_bytes(map),
            None => Ok(0),
        }
    }

    /// Reads what is not in memory from the disk and waits for that; in huge pages, where the file system can, which stay with
    /// the file in memory for other mappings of it too. This mapping has the system read a huge page around every byte that is
    /// missing from then on, so it is best one for this purpose. Like advice, it may do nothing.
    ///
    /// A file that is in memory costs a look. Linux says so of every file that is neither this user's nor his to write, so those
    /// are left.
    pub fn bring_in(&self) {
        let is_here = self.resident_bytes().is_ok_and(|here| here >= self.len() as u64);
        if let Some(map) = &self.inner
            && !is_here
        {
            bring_in(map);
        }
    }

    /// Says how the whole mapping will be used.
    pub fn advise(&self, advice: Advice) {
        self.advise_range(0..self.len(), advice);
    }

    /// Says how the bytes in `range` will be used. The part of `range` outside of the mapping is
    /// left out.
    pub fn advise_range(&self, range: Range<usize>, advice: Advice) {
        let end = range.end.min(self.len());
        if let Some(map) = &self.inner
            && range.start < end
        {
            advise(map, range.start, end - range.start, advice);
        }
    }
}

#[cfg(unix)]
fn advise(map: &memmap2::Mmap, offset: usize, len: usize, advice: Advice) {
    use memmap2::Advice as Os;
    let os = match advice {
        Advice::Normal => Os::Normal,
        Advice::Random => Os::Random,
        Advice::Sequential => Os::Sequential,
        Advice::WillNeed => Os::WillNeed,
    };
    // A refused hint changes nothing that a caller could act on.
    let _ = map.advise_range(os, offset, len);
}

#[cfg(target_os = "linux")]
fn bring_in(map: &memmap2::Mmap) {
    use memmap2::Advice as Os;
    /// So much at a time, so that mapping other files need not wait for all of it.
    const PIECE: usize = 8 << 20;
    let _ = map.advise(Os::HugePage);
    for start in (0..map.len()).step_by(PIECE) {
        // Where the system has no such call (before Linux 5.14), pages come when they are touched.
        if map
            .advise_range(Os::PopulateRead, start, PIECE.min(map.len() - start))
            .is_err()
        {
            return;
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn bring_in(map: &memmap2::Mmap) {
    advise(map, 0, map.len(), Advice::WillNeed);
}

#[cfg(not(unix))]
fn advise(_map: &memmap2::Mmap, _offset: usize, _len: usize, _advice: Advice) {}

#[cfg(target_os = "linux")]
fn resident_bytes(map: &memmap2::Mmap) -> io::Result<u64> {
    let page = rustix::param::page_size();
    let mut pages = vec![0_u8; map.len().div_ceil(page)];
    // SAFETY: a mapping begins at a page and `map` keeps all its pages mapped for the call, which reads none of them; it
    // writes one byte a page into `pages`, which has as many.
    match unsafe { libc::mincore(map.as_ptr().cast_mut().cast(), map.len(), pages.as_mut_ptr()) } {
        0 => Ok(pages.iter().filter(|page| **page & 1 == 1).count() as u64 * page as u64),
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(not(target_os = "linux"))]
fn resident_bytes(_map: &memmap2::Mmap) -> io::Result<u64> {
    Err(io::ErrorKind::Unsupported.into())
}

impl Deref for Map {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.inner.as_deref().unwrap_or(&[])
    }
}

impl fmt::Debug for Map {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Map").field("len", &self.len()).finish()
    }
}

#[cfg(test)]
mod tests;
