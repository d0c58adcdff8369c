//! `.npy`: one dense vector a point as a matrix of 32-bit floats; lists of row numbers.

use std::io::{self, Write};

/// Bytes of the header, a multiple of 64 as NumPy aligns it; room for every number of rows.
const HEADER: usize = 128;

/// Writes what stands before the numbers of an array: their type and its shape, as NumPy spells them.
fn header(to: &mut impl Write, descr: &str, shape: &str) -> io::Result<()> {
    let dictionary = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
    let mut header = b"\x93NUMPY\x01\x00".to_vec();
    let length = u16::try_from(HEADER - header.len() - 2).unwrap_or_default();
    header.extend(length.to_le_bytes());
    header.extend(dictionary.as_bytes());
    header.resize(HEADER - 1, b' ');
    header.push(b'\n');
    to.write_all(&header)
}

/// Writes row numbers as [`crate::read_row_numbers`] reads them: a one-dimensional array, 64 bits each.
///
/// # Errors
/// When writing fails.
pub fn write_row_numbers(mut to: impl Write, rows: &[u64]) -> io::Result<()> {
    header(&mut to, "<u8", &format!("({},)", rows.len()))?;
    rows.iter().try_for_each(|row| to.write_all(&row.to_le_bytes()))
}

/// Why a matrix could not be written.
#[derive(Debug, thiserror::Error)]
pub enum NpyWriteError {
    /// Writing failed.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A row of another length than the others.
    #[error("a row of {found} numbers in a matrix with {expected} columns")]
    Columns {
        /// Columns of the matrix.
        expected: usize,
        /// Numbers of the row.
        found: usize,
    },
    /// Fewer rows or more than the header says.
    #[error("{found} rows in a matrix of {expected}")]
    Rows {
        /// Rows that the header says.
        expected: u64,
        /// Rows that were written, or one more than may be.
        found: u64,
    },
}

/// Writes a matrix row by row. Its size stands before the rows, so that it has to be known.
#[derive(Debug)]
pub struct NpyWriter<W> {
    to: W,
    rows: u64,
    columns: usize,
    written: u64,
}

impl<W: Write> NpyWriter<W> {
    /// Begins a matrix.
    ///
    /// # Errors
    /// When writing fails.
    pub fn new(mut to: W, rows: u64, columns: usize) -> Result<Self, NpyWriteError> {
        header(&mut to, "<f4", &format!("({rows}, {columns})"))?;
        Ok(NpyWriter {
            to,
            rows,
            columns,
            written: 0,
        })
    }

    /// Adds a row.
    ///
    /// # Errors
    /// When it has another length than the others, when it is one too many, or when writing fails.
    pub fn row(&mut self, numbers: &[f32]) -> Result<(), NpyWriteError> {
        if numbers.len() != self.columns {
            return Err(NpyWriteError::Columns {
                expected: self.columns,
                found: numbers.len(),
            });
        }
        self.written += 1;
        if self.written > self.rows {
            return Err(self.rows_error());
        }
        let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        Ok(self.to.write_all(&bytes)?)
    }

    /// Ends the matrix, and hands back what was written to.
    ///
    /// # Errors
    /// When rows are missing.
    pub fn finish(self) -> Result<W, NpyWriteError> {
        if self.written == self.rows {
            Ok(self.to)
        } else {
            Err(self.rows_error())
        }
    }

    fn rows_error(&self) -> NpyWriteError {
        NpyWriteError::Rows {
            expected: self.rows,
            found: self.written,
        }
    }
}
