//! A flat index, as `faiss.write_index` writes it.

use std::io::{self, Seek, SeekFrom, Write};

use super::layout::FaissMetric;

/// What stands in every header where nothing is read.
const UNUSED: i64 = 1 << 20;

/// Writes an `IndexFlat` that `read_index` of FAISS loads, alone or in an `IndexIDMap2` that gives its vectors ids. Without, the
/// position is the id of a vector.
///
/// The ids are kept in memory until the end, 8 bytes each: the format has them behind the vectors.
#[derive(Debug)]
pub struct FaissWriter<W: Write + Seek> {
    out: W,
    metric: FaissMetric,
    dim: usize,
    rows: u64,
    row: Vec<u8>,
    ids: Option<Vec<u8>>,
}

impl<W: Write + Seek> FaissWriter<W> {
    /// Begins an index of vectors of `dim` numbers at the start of `out`.
    ///
    /// # Errors
    /// A dimension that FAISS has no number for, or what writing says.
    pub fn new(out: W, dim: usize, metric: FaissMetric) -> io::Result<FaissWriter<W>> {
        FaissWriter::begin(out, dim, metric, None)
    }

    /// As [`new`](Self::new), with ids.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_ids(out: W, dim: usize, metric: FaissMetric) -> io::Result<FaissWriter<W>> {
        FaissWriter::begin(out, dim, metric, Some(Vec::new()))
    }

    fn begin(out: W, dim: usize, metric: FaissMetric, ids: Option<Vec<u8>>) -> io::Result<FaissWriter<W>> {
        let mut writer = FaissWriter {
            out,
            metric,
            dim,
            rows: 0,
            row: Vec::with_capacity(4 * dim),
            ids,
        };
        writer.headers()?;
        Ok(writer)
    }

    /// Appends a vector; `id` counts where the index has ids.
    ///
    /// # Errors
    /// A vector of another dimension, or what writing says.
    pub fn push(&mut self, id: i64, vector: &[f32]) -> io::Result<()> {
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
        if let Some(ids) = &mut self.ids {
            ids.extend_from_slice(&id.to_le_bytes());
        }
        self.rows += 1;
        Ok(())
    }

    /// Vectors so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Adds the ids, says in the headers how many vectors came, and gives back what was written to, its end ahead.
    ///
    /// # Errors
    /// What writing says.
    pub fn finish(mut self) -> io::Result<W> {
        if let Some(ids) = &self.ids {
            self.out.write_all(&self.rows.to_le_bytes())?;
            self.out.write_all(ids)?;
        }
        self.out.rewind()?;
        self.headers()?;
        self.out.seek(SeekFrom::End(0))?;
        self.out.flush()?;
        Ok(self.out)
    }

    /// Everything before the first vector.
    fn headers(&mut self) -> io::Result<()> {
        if self.ids.is_some() {
            self.out.write_all(b"IxM2")?;
            self.header()?;
        }
        let kind = match self.metric {
            FaissMetric::InnerProduct => b"IxFI",
            FaissMetric::L2 => b"IxF2",
            FaissMetric::L1 => b"IxFl",
        };
        self.out.write_all(kind)?;
        self.header()?;
        self.out.write_all(&(self.rows * self.dim as u64).to_le_bytes())
    }

    fn header(&mut self) -> io::Result<()> {
        let too_many = |_| io::Error::new(io::ErrorKind::InvalidInput, "more than FAISS has numbers for");
        let dim = i32::try_from(self.dim).map_err(too_many)?;
        let rows = i64::try_from(self.rows).map_err(too_many)?;
        let metric: i32 = match self.metric {
            FaissMetric::InnerProduct => 0,
            FaissMetric::L2 => 1,
            FaissMetric::L1 => 2,
        };
        self.out.write_all(&dim.to_le_bytes())?;
        self.out.write_all(&rows.to_le_bytes())?;
        self.out.write_all(&UNUSED.to_le_bytes())?;
        self.out.write_all(&UNUSED.to_le_bytes())?;
        // Trained.
        self.out.write_all(&[1])?;
        self.out.write_all(&metric.to_le_bytes())?;
        if metric > 1 {
            // Its argument, which this metric has none of.
            self.out.write_all(&0f32.to_le_bytes())?;
        }
        Ok(())
    }
}
