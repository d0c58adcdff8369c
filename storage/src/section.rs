//! The parts of a frame as its reader wants them: meta as a record, a section as an array of numbers in place.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, Range};

use bincode::Decode;
use bytemuck::Pod;
use vdb_sys::map::Advice;
use vdb_vfs::FileSlice;
use vdb_vfs::frame::{Frame, Salvage};

use crate::{Result, codec};

/// The record that is the meta of a file.
pub(crate) fn meta<T: Decode<()>>(frame: &Frame) -> Result<T> {
    codec::decode(frame.meta(), frame.display(), frame.meta_at())
}

/// The section of `index` in `again`, which is to be the file of `frame` mapped once more: for reads that have nothing to
/// do with each other.
///
/// # Errors
/// Corruption when another file has taken its place.
pub(crate) fn scattered(frame: &Frame, again: &Frame, index: u32) -> Result<FileSlice> {
    let section = again.section(index)?;
    if again.info() != frame.info() || section.len() != frame.section(index)?.len() {
        return Err(frame.corrupt(0, "the file was replaced").into());
    }
    section.advise(Advice::Random);
    Ok(section)
}

/// A section as an array of `T`. Its length and alignment are checked once, its numbers are as the disk has them.
pub(crate) struct Array<T> {
    slice: FileSlice,
    element: PhantomData<T>,
}

impl<T: Pod> Array<T> {
    /// The section of `index`, which must hold exactly `len` numbers.
    pub(crate) fn open(frame: &Frame, index: u32, len: u64) -> Result<Self> {
        let slice = frame.section(index)?;
        let size = size_of::<T>() as u64;
        if Some(slice.len() as u64) != len.checked_mul(size) {
            let what = format!(
                "section has {} bytes, expected {len} elements of {size}",
                slice.len()
            );
            return Err(frame.corrupt_section(index, 0, what).into());
        }
        if bytemuck::try_cast_slice::<u8, T>(&slice).is_err() {
            return Err(frame.corrupt_section(index, 0, "section is not aligned").into());
        }
        Ok(Array {
            slice,
            element: PhantomData,
        })
    }
}

impl<T: Pod> Deref for Array<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // `open` has seen this succeed, and a mapping neither moves nor changes its length.
        bytemuck::try_cast_slice(&self.slice).unwrap_or_default()
    }
}

impl<T> fmt::Debug for Array<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.slice.fmt(f)
    }
}

/// The bytes of the number of a row, and of the one behind it, in a section with a `u64` for each row.
pub(crate) fn number_and_next(row: u32) -> Range<u64> {
    let size = size_of::<u64>() as u64;
    let start = u64::from(row) * size;
    start..start + 2 * size
}

/// The number at `index` of a section of a damaged file; `None` where it is lost, or there is none.
pub(crate) fn number_at<T: Pod>(file: &Salvage, section: u32, index: u32) -> Option<T> {
    let size = size_of::<T>() as u64;
    let start = u64::from(index) * size;
    let bytes = file.get(section, start..start + size)?;
    bytemuck::try_pod_read_unaligned(bytes).ok()
}

/// How many numbers of that size a section of a damaged file has; `None` when it has part of one.
pub(crate) fn count_of<T>(file: &Salvage, section: u32) -> Option<u32> {
    let (len, size) = (file.len_of(section), size_of::<T>() as u64);
    if !len.is_multiple_of(size) {
        return None;
    }
    u32::try_from(len / size).ok()
}

/// The meta of a damaged file as a record; `None` where it is lost.
pub(crate) fn salvaged_meta<T: Decode<()>>(file: &Salvage) -> Option<T> {
    codec::decode(file.meta()?, file.display(), 0).ok()
}
