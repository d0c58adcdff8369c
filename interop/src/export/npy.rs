//! `.npy`: one dense vector a point as a matrix of 32-bit floats.

use std::io::{self, Write};

/// Bytes of the header, a multiple of 64 as NumPy aligns it; room for every number of rows.
const HEADER: usize = 128;

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
        let dictionary = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {columns}), }}");
        let mut header = b"\x93NUMPY\x01\x00".to_vec();
        let length = u16::try_from(HEADER - header.len() - 2).unwrap_or_default();
        header.extend(length.to_le_bytes());
        header.extend(dictionary.as_bytes());
        header.resize(HEADER - 1, b' ');
        header.push(b'\n');
        to.write_all(&header)?;
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
        if self.written == self.rows { Ok(self.to) } else { Err(self.rows_error()) }
    }

    fn rows_error(&self) -> NpyWriteError {
        NpyWriteError::Rows {
            expected: self.rows,
            found: self.written,
        }
    }
}
