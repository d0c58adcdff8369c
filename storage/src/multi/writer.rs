//! Streams a file of multivectors out.

use vdb_sys::element::Element;
use vdb_vfs::Disk;
use vdb_vfs::frame::{FrameInfo, FrameWriter};

use super::format::{KIND, Meta, Shape};
use crate::{Error, Result, codec};

/// Writes one named multivector of a segment, row by row. Keeps 8 bytes a row in memory.
#[derive(Debug)]
pub struct MultiWriter {
    frame: FrameWriter,
    path: String,
    shape: Shape,
    /// Vectors before those of each row so far.
    starts: Vec<u64>,
    present: u32,
    vectors: u64,
}

impl MultiWriter {
    /// Creates the file at `path`, or truncates it, for vectors of `dim` elements.
    ///
    /// # Errors
    /// [`Error::Invalid`] when a vector would have no elements, or more than [`MAX_NUMBERS`](super::MAX_NUMBERS); those of
    /// the disk.
    pub fn create(disk: &dyn Disk, path: &str, element: Element, dim: u32) -> Result<Self> {
        let shown = disk.display(path);
        let Some(shape) = Shape::new(element, dim) else {
            return Err(Error::Invalid {
                path: shown,
                reason: format!("multivectors of vectors of {dim} elements"),
            });
        };
        let mut frame = FrameWriter::create(disk, path, KIND, &[])?;
        frame.begin_section()?;
        Ok(MultiWriter {
            frame,
            path: shown,
            shape,
            starts: Vec::new(),
            present: 0,
            vectors: 0,
        })
    }

    /// Appends the multivector of `row`: its vectors back to back, in the encoding of the element. Rows ascend; those left
    /// out do not have the multivector.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a row out of order, and for bytes that are not one or more whole vectors, or more than
    /// [`MAX_NUMBERS`](super::MAX_NUMBERS) elements; those of the disk.
    pub fn push(&mut self, row: u32, vectors: &[u8]) -> Result<()> {
        let next = self.starts.len() as u64;
        if u64::from(row) < next || row == u32::MAX {
            return Err(self.invalid(format!(
                "a multivector of row {row} where row {next} or a later one was expected"
            )));
        }
        let (len, each) = (vectors.len() as u64, self.shape.vector_bytes);
        let (count, most) = (len / each, self.shape.most_vectors());
        if len == 0 || !len.is_multiple_of(each) || count > most {
            return Err(self.invalid(format!(
                "the multivector of row {row} has {len} bytes, expected 1 to {most} vectors of {each}"
            )));
        }
        self.frame.write(vectors)?;
        self.fill(row);
        self.starts.push(self.vectors);
        self.present += 1;
        self.vectors += count;
        Ok(())
    }

    /// Writes the rest and syncs the file; the segment has `rows` rows. The caller syncs the directory.
    ///
    /// # Errors
    /// [`Error::Invalid`] when a row was written that the segment does not have; those of the disk.
    pub fn finish(mut self, rows: u32) -> Result<FrameInfo> {
        if (rows as usize) < self.starts.len() {
            let last = self.starts.len() - 1;
            return Err(self.invalid(format!("a multivector of row {last} in a segment of {rows} rows")));
        }
        self.fill(rows);
        self.starts.push(self.vectors);
        self.frame.begin_section()?;
        self.frame.write(bytemuck::cast_slice(&self.starts))?;
        let meta = Meta {
            element: self.shape.element.code(),
            dim: self.shape.dim,
            rows,
            present: self.present,
            vectors: self.vectors,
        };
        self.frame.set_meta(&codec::encode(&meta)?)?;
        Ok(self.frame.finish()?)
    }

    /// Leaves the rows before `row` without the multivector.
    fn fill(&mut self, row: u32) {
        self.starts.resize(row as usize, self.vectors);
    }

    fn invalid(&self, reason: String) -> Error {
        Error::Invalid {
            path: self.path.clone(),
            reason,
        }
    }
}
