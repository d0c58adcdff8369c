//! Multivectors of a damaged file, as far as they can be read.

use vdb_sys::element::Element;
use vdb_vfs::Disk;
use vdb_vfs::frame::Salvage;

use super::format::{KIND, MATRIX, Meta, STARTS, Shape, VERSIONS};
use crate::section::{count_of, number_at, salvaged_meta};
use crate::vectors::Salvaged;
use crate::{Error, Result};

/// A file of multivectors that may be damaged.
#[derive(Debug)]
pub struct MultiSalvage {
    file: Salvage,
    shape: Shape,
    rows: u32,
}

impl MultiSalvage {
    /// Reads the file at `path`, which should hold multivectors of vectors of `dim` elements for a segment of `rows` rows;
    /// `crc` is the checksum that a manifest knows it by, if there is one.
    ///
    /// # Errors
    /// When nothing in it can be told, when it holds other vectors, and those of the disk.
    pub fn open(
        disk: &dyn Disk,
        path: &str,
        element: Element,
        dim: u32,
        rows: u32,
        crc: Option<u32>,
    ) -> Result<Self> {
        let file = Salvage::open(disk, path, KIND, VERSIONS, STARTS + 1..=STARTS + 1, crc)?;
        let refuse = |what: String| Error::corrupt(file.display(), 0, what);
        if let Some(meta) = salvaged_meta::<Meta>(&file)
            && (meta.element, meta.dim, meta.rows) != (element.code(), dim, rows)
        {
            let (code, found, of) = (meta.element, meta.dim, meta.rows);
            return Err(refuse(format!(
                "it holds {found} components of kind {code} for {of} rows, expected {dim} of {element:?} for {rows}"
            )));
        }
        let starts = count_of::<u64>(&file, STARTS);
        let Some(shape) = Shape::new(element, dim).filter(|_| starts == rows.checked_add(1)) else {
            return Err(refuse(format!(
                "it has {starts:?} starts, expected one more than {rows} rows, of vectors of {dim} components"
            )));
        };
        if !file.len_of(MATRIX).is_multiple_of(shape.vector_bytes) {
            let (len, each) = (file.len_of(MATRIX), shape.vector_bytes);
            return Err(refuse(format!(
                "matrix has {len} bytes, expected vectors of {each}"
            )));
        }
        Ok(MultiSalvage { file, shape, rows })
    }

    /// What the file says of a row: its vectors back to back, that it does not have the multivector, or nothing.
    pub fn get(&self, row: u32) -> Salvaged<'_> {
        if row >= self.rows {
            return Salvaged::Lost;
        }
        let start = |row| number_at::<u64>(&self.file, STARTS, row);
        match (start(row), start(row + 1)) {
            (Some(start), Some(end)) if start == end => Salvaged::Absent,
            (Some(start), Some(end)) => {
                let bytes = self.shape.bytes(start, end);
                let vectors = bytes.and_then(|bytes| self.file.get(MATRIX, bytes));
                vectors.map_or(Salvaged::Lost, Salvaged::Vector)
            }
            (None, _) | (_, None) => Salvaged::Lost,
        }
    }

    /// All that is wrong with the file.
    pub fn faults(&self) -> &[vdb_vfs::Error] {
        self.file.faults()
    }
}
