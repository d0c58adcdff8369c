//! Streams a file of vectors out.

use vdb_sys::element::Element;
use vdb_vfs::Disk;
use vdb_vfs::frame::{FrameInfo, FrameWriter};

use super::format::{KIND, Meta};
use crate::{Error, Result, codec};

/// Writes one named vector of a segment, row by row. Memory is bounded while rows have no gaps; from the first
/// gap on it is 4 bytes a slot.
#[derive(Debug)]
pub struct VectorsWriter {
    frame: FrameWriter,
    path: String,
    element: Element,
    dim: u32,
    row_bytes: usize,
    slots: u32,
    /// The row that the next slot may have at the least.
    next_row: u32,
    /// The rows of the slots, once they differ from the slots.
    sparse: Vec<u32>,
}

impl VectorsWriter {
    /// Creates the file at `path`, or truncates it, for vectors of `dim` elements.
    ///
    /// # Errors
    /// [`Error::Invalid`] when a vector would have no bytes, or more than memory can address; those of the disk.
    pub fn create(disk: &dyn Disk, path: &str, element: Element, dim: u32) -> Result<Self> {
        let shown = disk.display(path);
        let Some(row_bytes) = element.row_bytes(dim as usize).filter(|&bytes| bytes > 0) else {
            return Err(Error::Invalid {
                path: shown,
                reason: format!("vectors of {dim} elements"),
            });
        };
        let mut frame = FrameWriter::create(disk, path, KIND, &[])?;
        frame.begin_section()?;
        Ok(VectorsWriter {
            frame,
            path: shown,
            element,
            dim,
            row_bytes,
            slots: 0,
            next_row: 0,
            sparse: Vec::new(),
        })
    }

    /// Appends the vector of `row`, in the encoding of the element, and returns its slot. Rows ascend; those left
    /// out do not have the vector.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a row out of order or a vector of another length; those of the disk.
    pub fn push(&mut self, row: u32, vector: &[u8]) -> Result<u32> {
        if vector.len() != self.row_bytes {
            let (found, expected) = (vector.len(), self.row_bytes);
            return Err(self.invalid(format!(
                "the vector of row {row} has {found} bytes, expected {expected}"
            )));
        }
        if row < self.next_row || row == u32::MAX {
            let next = self.next_row;
            return Err(self.invalid(format!(
                "a vector of row {row} where row {next} or a later one was expected"
            )));
        }
        if row != self.slots && self.sparse.is_empty() {
            self.sparse.extend(0..self.slots);
        }
        self.frame.write(vector)?;
        if row != self.slots {
            self.sparse.push(row);
        }
        let slot = self.slots;
        self.slots += 1;
        self.next_row = row + 1;
        Ok(slot)
    }

    /// Writes the rest and syncs the file; the segment has `rows` rows. The caller syncs the directory.
    ///
    /// # Errors
    /// [`Error::Invalid`] when a row was written that the segment does not have; those of the disk.
    pub fn finish(mut self, rows: u32) -> Result<FrameInfo> {
        if rows < self.next_row {
            let last = self.next_row - 1;
            return Err(self.invalid(format!("a vector of row {last} in a segment of {rows} rows")));
        }
        if self.slots < rows {
            if self.sparse.is_empty() {
                self.sparse.extend(0..self.slots);
            }
            self.frame.begin_section()?;
            self.frame.write(bytemuck::cast_slice(&self.sparse))?;
        }
        let meta = Meta {
            element: self.element.code(),
            dim: self.dim,
            slots: self.slots,
            rows,
        };
        self.frame.set_meta(&codec::encode(&meta)?)?;
        Ok(self.frame.finish()?)
    }

    fn invalid(&self, reason: String) -> Error {
        Error::Invalid {
            path: self.path.clone(),
            reason,
        }
    }
}
