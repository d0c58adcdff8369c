//! Streams a file of sparse vectors out.

use vdb_sys::sparse::{SparseFault, SparseView};
use vdb_vfs::Disk;
use vdb_vfs::frame::{FrameInfo, FrameWriter};

use super::format::{KIND, MAX_NONZEROS, Meta, Place};
use crate::{Error, Result, codec};

/// Writes one named sparse vector of a segment, row by row. Keeps 8 bytes a row in memory.
#[derive(Debug)]
pub struct SparseWriter {
    frame: FrameWriter,
    path: String,
    /// The place of each row so far.
    places: Vec<u64>,
    present: u32,
    nonzeros: u64,
}

impl SparseWriter {
    /// Creates the file at `path`, or truncates it.
    pub fn create(disk: &dyn Disk, path: &str) -> Result<Self> {
        let mut frame = FrameWriter::create(disk, path, KIND, &[])?;
        frame.begin_section()?;
        Ok(SparseWriter {
            frame,
            path: disk.display(path),
            places: Vec::new(),
            present: 0,
            nonzeros: 0,
        })
    }

    /// Appends the vector of `row`. Rows ascend; those left out do not have the vector.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a row out of order, a vector of more than [`MAX_NONZEROS`] dimensions, dimensions that do
    /// not ascend and values that are not finite; those of the disk.
    pub fn push(&mut self, row: u32, vector: SparseView<'_>) -> Result<()> {
        let next = self.places.len() as u64;
        if u64::from(row) < next || row == u32::MAX {
            return Err(self.invalid(format!(
                "a sparse vector of row {row} where row {next} or a later one was expected"
            )));
        }
        let found = vector.len();
        if found > MAX_NONZEROS {
            return Err(self.invalid(format!(
                "the sparse vector of row {row} has {found} dimensions, at most {MAX_NONZEROS} are possible"
            )));
        }
        match vector.fault() {
            None => {}
            Some(SparseFault::Order(at)) => {
                return Err(self.invalid(format!(
                    "dimension {at} of the sparse vector of row {row} is not above the one before it"
                )));
            }
            Some(SparseFault::Value(at)) => {
                return Err(self.invalid(format!(
                    "value {at} of the sparse vector of row {row} is not a finite number"
                )));
            }
        }
        self.frame.write(bytemuck::cast_slice(vector.dimensions()))?;
        self.frame.write(bytemuck::cast_slice(vector.values()))?;
        self.fill(row);
        self.places.push(self.place(true));
        self.present += 1;
        self.nonzeros += vector.len() as u64;
        Ok(())
    }

    /// The error of bytes of `row` that are no sparse vector.
    pub fn not_one(&self, row: u32) -> Error {
        self.invalid(format!("what is there for row {row} is no sparse vector"))
    }

    /// Writes the rest and syncs the file; the segment has `rows` rows. The caller syncs the directory.
    ///
    /// # Errors
    /// [`Error::Invalid`] when a row was written that the segment does not have; those of the disk.
    pub fn finish(mut self, rows: u32) -> Result<FrameInfo> {
        if (rows as usize) < self.places.len() {
            let last = self.places.len() - 1;
            return Err(self.invalid(format!(
                "a sparse vector of row {last} in a segment of {rows} rows"
            )));
        }
        self.fill(rows);
        self.places.push(self.place(false));
        self.frame.begin_section()?;
        self.frame.write(bytemuck::cast_slice(&self.places))?;
        let meta = Meta {
            rows,
            present: self.present,
            nonzeros: self.nonzeros,
        };
        self.frame.set_meta(&codec::encode(&meta)?)?;
        Ok(self.frame.finish()?)
    }

    /// The place of a row that comes after all values so far.
    fn place(&self, is_present: bool) -> u64 {
        let start = self.nonzeros;
        Place { start, is_present }.encode()
    }

    /// Leaves the rows before `row` without the vector.
    fn fill(&mut self, row: u32) {
        self.places.resize(row as usize, self.place(false));
    }

    fn invalid(&self, reason: String) -> Error {
        Error::Invalid {
            path: self.path.clone(),
            reason,
        }
    }
}
