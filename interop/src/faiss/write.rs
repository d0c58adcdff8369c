//! A flat index by inner product, as `faiss.write_index` writes it.

use std::io::{self, Seek, SeekFrom, Write};

/// What stands in every header where nothing is read.
const UNUSED: i64 = 1 << 20;

/// Writes an `IndexFlatIP`: `read_index` of FAISS loads it. Its position is the id of a vector.
#[derive(Debug)]
pub struct FaissWriter<W: Write + Seek> {
    out: W,
    dim: usize,
    rows: u64,
    row: Vec<u8>,
}

impl<W: Write + Seek> FaissWriter<W> {
    /// Begins an index of vectors of `dim` numbers at the start of `out`.
    ///
    /// # Errors
    /// A dimension that FAISS has no number for, or what writing says.
    pub fn new(mut out: W, dim: usize) -> io::Result<FaissWriter<W>> {
        header(&mut out, dim, 0)?;
        Ok(FaissWriter {
            out,
            dim,
            rows: 0,
            row: Vec::with_capacity(4 * dim),
        })
    }

    /// Appends a vector.
    ///
    /// # Errors
    /// A vector of another dimension, or what writing says.
    pub fn push(&mut self, vector: &[f32]) -> io::Result<()> {
        if vector.len() != self.dim {
            let (dim, found) = (self.dim, vector.len());
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("a vector of {found} numbers in an index of {dim}"),
            ));
        }
        self.row.clear();
        for number in vector {
            self.row.extend_from_slice(&number.to_le_bytes());
        }
        self.out.write_all(&self.row)?;
        self.rows += 1;
        Ok(())
    }

    /// Vectors so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Says in the header how many vectors came, and gives back what was written to, its end ahead.
    ///
    /// # Errors
    /// What writing says.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.rewind()?;
        header(&mut self.out, self.dim, self.rows)?;
        self.out.seek(SeekFrom::End(0))?;
        self.out.flush()?;
        Ok(self.out)
    }
}

fn header(out: &mut impl Write, dim: usize, rows: u64) -> io::Result<()> {
    let too_many = |_| io::Error::new(io::ErrorKind::InvalidInput, "more than FAISS has numbers for");
    let dim_field = i32::try_from(dim).map_err(too_many)?;
    let rows_field = i64::try_from(rows).map_err(too_many)?;
    out.write_all(b"IxFI")?;
    out.write_all(&dim_field.to_le_bytes())?;
    out.write_all(&rows_field.to_le_bytes())?;
    out.write_all(&UNUSED.to_le_bytes())?;
    out.write_all(&UNUSED.to_le_bytes())?;
    // Trained; by inner product.
    out.write_all(&[1])?;
    out.write_all(&0i32.to_le_bytes())?;
    out.write_all(&(rows * dim as u64).to_le_bytes())
}
