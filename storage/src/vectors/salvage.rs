//! Vectors of a damaged file, as far as they can be read.

use vdb_sys::element::Element;
use vdb_vfs::Disk;
use vdb_vfs::frame::Salvage;

use super::format::{KIND, MATRIX, Meta, ROWS, VERSIONS};
use crate::section::{count_of, number_at, salvaged_meta};
use crate::{Error, Result};

/// What a damaged file says of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Salvaged<'a> {
    /// Its vector, in the encoding of the element.
    Vector(&'a [u8]),
    /// That the row does not have the vector.
    Absent,
    /// Nothing: its vector, or whether it has one, is lost.
    Lost,
}

/// A file of vectors that may be damaged.
#[derive(Debug)]
pub struct VectorsSalvage {
    file: Salvage,
    row_bytes: u64,
    rows: u32,
    /// The slot of each row, [`NONE`] where none is known; no list when they are equal.
    slots: Option<Vec<u32>>,
    /// The file says for every row whether it has a slot.
    slots_whole: bool,
}

const NONE: u32 = u32::MAX;

impl VectorsSalvage {
    /// Reads the file at `path`, which should hold vectors of `dim` components for a segment of `rows` rows; `crc` is
    /// the checksum that a manifest knows it by, if there is one.
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
        let file = Salvage::open(disk, path, KIND, VERSIONS, MATRIX + 1..=ROWS + 1, crc)?;
        let refuse = |what: String| Error::corrupt(file.display(), 0, what);
        let row_bytes = u64::from(dim) * element.size() as u64;
        if let Some(meta) = salvaged_meta::<Meta>(&file)
            && (meta.element, meta.dim, meta.rows) != (element.code(), dim, rows)
        {
            let Meta {
                element: code,
                dim: found,
                rows: of,
                ..
            } = meta;
            return Err(refuse(format!(
                "it holds {found} components of kind {code} for {of} rows, expected {dim} of {element:?} for {rows}"
            )));
        }
        let len = file.len_of(MATRIX);
        if row_bytes == 0 || !len.is_multiple_of(row_bytes) || len / row_bytes > u64::from(rows) {
            return Err(refuse(format!(
                "matrix has {len} bytes, expected at most {rows} vectors of {row_bytes}"
            )));
        }
        let count = (len / row_bytes) as u32;
        let mut slots_whole = true;
        let mut slots = None;
        if count < rows {
            if file.sections() <= ROWS || count_of::<u32>(&file, ROWS) != Some(count) {
                return Err(refuse(format!("it does not say the rows of its {count} vectors")));
            }
            slots_whole = file.is_whole(ROWS);
            let mut list = vec![NONE; rows as usize];
            for slot in 0..count {
                let row: Option<u32> = number_at(&file, ROWS, slot);
                if let Some(place) = row.and_then(|row| list.get_mut(row as usize)) {
                    *place = slot;
                }
            }
            slots = Some(list);
        }
        Ok(VectorsSalvage {
            file,
            row_bytes,
            rows,
            slots,
            slots_whole,
        })
    }

    /// What the file says of a row.
    pub fn vector_of(&self, row: u32) -> Salvaged<'_> {
        let slot = match &self.slots {
            None if row < self.rows => row,
            None => return Salvaged::Lost,
            Some(slots) => match slots.get(row as usize) {
                Some(&NONE) if self.slots_whole => return Salvaged::Absent,
                Some(&NONE) | None => return Salvaged::Lost,
                Some(&slot) => slot,
            },
        };
        let start = u64::from(slot) * self.row_bytes;
        let bytes = self.file.get(MATRIX, start..start + self.row_bytes);
        bytes.map_or(Salvaged::Lost, Salvaged::Vector)
    }

    /// All that is wrong with the file.
    pub fn faults(&self) -> &[vdb_vfs::Error] {
        self.file.faults()
    }
}
