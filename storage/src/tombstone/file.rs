//! Writes and reads the bitmap of deleted rows.

use roaring::RoaringBitmap;
use vdb_vfs::Disk;
use vdb_vfs::frame::{Frame, FrameInfo, FrameWriter, Salvage};

use super::format::{BITMAP, KIND, Meta, VERSIONS};
use crate::{Error, Result, codec, section};

/// The deleted rows of one segment.
#[derive(Clone, Debug, PartialEq)]
pub struct Tombstones {
    /// The segment whose rows these are.
    pub segment_id: u64,
    /// Rows of that segment, deleted ones included.
    pub rows: u32,
    /// The last operation whose deletions are in.
    pub max_seq: u64,
    /// The deleted rows.
    pub deleted: RoaringBitmap,
}

/// Writes the file at `path` and syncs it. The caller syncs the directory.
///
/// # Errors
/// [`Error::Invalid`] when a row is deleted that the segment does not have; those of the disk.
pub fn write(disk: &dyn Disk, path: &str, tombstones: &Tombstones) -> Result<FrameInfo> {
    let Tombstones {
        segment_id,
        rows,
        max_seq,
        deleted,
    } = tombstones;
    let refuse = |reason| Error::Invalid {
        path: disk.display(path),
        reason,
    };
    if let Some(last) = deleted.max().filter(|last| last >= rows) {
        return Err(refuse(format!(
            "row {last} is deleted in a segment of {rows} rows"
        )));
    }
    let mut bitmap = Vec::with_capacity(deleted.serialized_size());
    deleted
        .serialize_into(&mut bitmap)
        .map_err(|error| refuse(error.to_string()))?;
    let meta = Meta {
        segment_id: *segment_id,
        rows: *rows,
        // There are no more of them than rows.
        deleted: deleted.len() as u32,
        max_seq: *max_seq,
    };
    let mut frame = FrameWriter::create(disk, path, KIND, &codec::encode(&meta)?)?;
    frame.write(&bitmap)?;
    Ok(frame.finish()?)
}

/// Reads and verifies the file at `path`, which is small next to its segment.
pub fn read(disk: &dyn Disk, path: &str) -> Result<(Tombstones, FrameInfo)> {
    let frame = Frame::open(disk, path, KIND, VERSIONS)?;
    frame.verify(disk)?;
    let Meta {
        segment_id,
        rows,
        deleted: count,
        max_seq,
    } = section::meta(&frame)?;
    let data = frame.section(BITMAP)?;
    let mut bytes = &data[..];
    let corrupt = |what: String| Error::Disk(frame.corrupt_section(BITMAP, 0, what));
    let deleted = RoaringBitmap::deserialize_from(&mut bytes)
        .map_err(|error| corrupt(format!("expected a roaring bitmap: {error}")))?;
    if !bytes.is_empty() {
        return Err(corrupt(format!("{} bytes after the bitmap", bytes.len())));
    }
    if deleted.len() != u64::from(count) {
        return Err(corrupt(format!(
            "bitmap has {} rows, expected {count}",
            deleted.len()
        )));
    }
    if let Some(last) = deleted.max().filter(|&last| last >= rows) {
        return Err(corrupt(format!(
            "row {last} is deleted, the segment has {rows} rows"
        )));
    }
    Ok((
        Tombstones {
            segment_id,
            rows,
            max_seq,
            deleted,
        },
        frame.info(),
    ))
}

/// The deleted rows in the file at `path`, if its bitmap is what was written, whatever else of it may be damaged.
/// `crc` is the checksum that a manifest knows the file by, if there is one.
///
/// # Errors
/// When the bitmap is damaged, and those of the disk.
pub fn salvage(disk: &dyn Disk, path: &str, crc: Option<u32>) -> Result<RoaringBitmap> {
    let file = Salvage::open(disk, path, KIND, VERSIONS, BITMAP + 1..=BITMAP + 1, crc)?;
    let Some(bytes) = file.get(BITMAP, 0..file.len_of(BITMAP)) else {
        // The fault that has cost it; there is one, or it would be there.
        let fault = file.into_fault();
        return Err(fault.into());
    };
    RoaringBitmap::deserialize_from(bytes)
        .map_err(|error| Error::corrupt(file.display(), 0, format!("expected a roaring bitmap: {error}")))
}
