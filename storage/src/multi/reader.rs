//! Finds the vectors of a row.

use std::ops::Range;

use vdb_sys::element::Element;
use vdb_sys::map::Advice;
use vdb_vfs::frame::{Frame, FrameInfo};
use vdb_vfs::{Disk, FileSlice};

use super::format::{KIND, MATRIX, Meta, STARTS, Shape, VERSIONS};
use crate::section::{self, Array};
use crate::{Error, Result};

/// An open file of multivectors.
#[derive(Debug)]
pub struct MultiReader {
    frame: Frame,
    meta: Meta,
    shape: Shape,
    matrix: FileSlice,
    /// The matrix in a mapping of its own, for reads that have nothing to do with each other.
    scattered: Option<FileSlice>,
    starts: Array<u64>,
}

impl MultiReader {
    /// Maps the file at `path`, in time independent of its size.
    pub fn open(disk: &dyn Disk, path: &str) -> Result<Self> {
        let frame = Frame::open(disk, path, KIND, VERSIONS)?;
        let meta: Meta = section::meta(&frame)?;
        let wrong = |what| Error::from(frame.corrupt(frame.meta_at(), what));
        let Some(element) = Element::from_code(meta.element) else {
            return Err(wrong(format!("unknown element code {}", meta.element)));
        };
        let Some(shape) = Shape::new(element, meta.dim) else {
            return Err(wrong(format!("vectors of {} elements", meta.dim)));
        };
        let Meta {
            rows,
            present,
            vectors,
            ..
        } = meta;
        if present > rows || u64::from(present) > vectors {
            return Err(wrong(format!(
                "{present} multivectors of {vectors} vectors, expected one or more for each, and at most one for each of \
                 {rows} rows"
            )));
        }
        let matrix = frame.section(MATRIX)?;
        if Some(matrix.len() as u64) != vectors.checked_mul(shape.vector_bytes) {
            let found = matrix.len();
            let what = format!(
                "matrix has {found} bytes, expected {vectors} vectors of {} {element:?}",
                meta.dim
            );
            return Err(frame.corrupt_section(MATRIX, 0, what).into());
        }
        let starts = Array::open(&frame, STARTS, u64::from(rows) + 1)?;
        Ok(MultiReader {
            frame,
            meta,
            shape,
            matrix,
            scattered: None,
            starts,
        })
    }

    /// Maps the same file, at `path`, once more for [`scattered`](Self::scattered).
    ///
    /// # Errors
    /// Those of [`open`](Self::open).
    pub fn map_scattered(&mut self, disk: &dyn Disk, path: &str) -> Result<()> {
        let again = Frame::open(disk, path, KIND, VERSIONS)?;
        self.scattered = Some(section::scattered(&self.frame, &again, MATRIX)?);
        Ok(())
    }

    /// Length and checksum of the file, as its writer returned them.
    pub fn info(&self) -> FrameInfo {
        self.frame.info()
    }

    /// How an element is stored.
    pub fn element(&self) -> Element {
        self.shape.element
    }

    /// Elements of a vector.
    pub fn dim(&self) -> u32 {
        self.shape.dim
    }

    /// How many rows have the multivector.
    pub fn len(&self) -> u32 {
        self.meta.present
    }

    /// True when no row has the multivector.
    pub fn is_empty(&self) -> bool {
        self.meta.present == 0
    }

    /// Rows of the segment, those without the multivector included.
    pub fn rows(&self) -> u32 {
        self.meta.rows
    }

    /// Vectors of all rows together.
    pub fn vectors(&self) -> u64 {
        self.meta.vectors
    }

    /// The vectors of a row, back to back in the encoding of the element; `None` where the row does not have the
    /// multivector. For reading many rows in their order.
    ///
    /// # Errors
    /// [`Error::NoSuchRow`], and corruption where the file does not say where they are.
    pub fn get(&self, row: u32) -> Result<Option<&[u8]>> {
        self.bytes_of(&self.matrix, row)
    }

    /// The same, for reading a few rows here and there: where they are not in memory, no more is read from the disk than
    /// what is asked for, if the file has been [mapped](Self::map_scattered) for that.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn scattered(&self, row: u32) -> Result<Option<&[u8]>> {
        self.bytes_of(self.scattered.as_ref().unwrap_or(&self.matrix), row)
    }

    /// As [`get`](Self::get), compared with its checksums: for whoever writes the vectors into another file. Reads each chunk
    /// that they touch once while the file is open.
    ///
    /// # Errors
    /// As [`get`](Self::get), and damage to the vectors or what lies near them.
    pub fn checked(&self, row: u32) -> Result<Option<&[u8]>> {
        if row < self.meta.rows {
            let starts = section::number_and_next(row);
            self.frame.check_part(STARTS, starts)?;
        }
        let Some(range) = self.range_of(row)? else {
            return Ok(None);
        };
        let bytes = range.start as u64..range.end as u64;
        self.frame.check_part(MATRIX, bytes)?;
        Ok(self.matrix.get(range))
    }

    /// Asks the disk for a row that is [read here and there](Self::scattered), without waiting for it.
    pub fn read_ahead(&self, row: u32) {
        if let (Some(matrix), Ok(Some(range))) = (&self.scattered, self.range_of(row)) {
            matrix.advise_part(range, Advice::WillNeed);
        }
    }

    /// Whether a row has the multivector; not where the file does not say.
    pub fn has(&self, row: u32) -> bool {
        matches!(self.range_of(row), Ok(Some(_)))
    }

    /// The multivectors of all rows that have one, in the order of rows.
    ///
    /// # Errors
    /// As [`get`](Self::get), for each row.
    pub fn iter(&self) -> impl Iterator<Item = Result<(u32, &[u8])>> + Clone {
        (0..self.meta.rows).filter_map(|row| {
            let vectors = self.get(row).transpose()?;
            Some(vectors.map(|vectors| (row, vectors)))
        })
    }

    /// Reads the whole file and checks every byte, and that the vectors of rows follow each other.
    ///
    /// # Errors
    /// The first damage, and those of the disk.
    pub fn verify(&self, disk: &dyn Disk) -> Result<()> {
        self.frame.verify(disk)?;
        let mut present = 0;
        for row in 0..self.meta.rows {
            present += u32::from(self.range_of(row)?.is_some());
        }
        // Each start was at or before the next: these two say that no vector is left over.
        let (first, last) = (self.starts.first().copied(), self.starts.last().copied());
        let Meta {
            present: wanted,
            vectors,
            ..
        } = self.meta;
        if (first, last, present) != (Some(0), Some(vectors), wanted) {
            let what = format!(
                "{present} multivectors from {first:?} to {last:?}, expected {wanted} from 0 to {vectors}"
            );
            let at = u64::from(self.meta.rows) * size_of::<u64>() as u64;
            return Err(self.frame.corrupt_section(STARTS, at, what).into());
        }
        Ok(())
    }

    fn bytes_of<'a>(&self, matrix: &'a FileSlice, row: u32) -> Result<Option<&'a [u8]>> {
        // The range was checked against the length that all mappings of the file have.
        Ok(self.range_of(row)?.and_then(|range| matrix.get(range)))
    }

    /// Where the vectors of a row lie in the matrix.
    fn range_of(&self, row: u32) -> Result<Option<Range<usize>>> {
        let starts = self.starts.get(row as usize..);
        let Some(&[start, end]) = starts.and_then(|starts| starts.first_chunk()) else {
            return Err(Error::NoSuchRow {
                path: self.frame.display().to_owned(),
                row,
                rows: self.meta.rows,
            });
        };
        if start == end && end <= self.meta.vectors {
            return Ok(None);
        }
        let range = self.shape.bytes(start, end).and_then(|bytes| {
            // At most the length of the matrix, which is mapped.
            (end <= self.meta.vectors).then_some(bytes.start as usize..bytes.end as usize)
        });
        range.map(Some).ok_or_else(|| {
            let what = format!(
                "row {row} has vectors {start} to {end} of {}, expected at most {}",
                self.meta.vectors,
                self.shape.most_vectors()
            );
            let at = u64::from(row) * size_of::<u64>() as u64;
            self.frame.corrupt_section(STARTS, at, what).into()
        })
    }
}
