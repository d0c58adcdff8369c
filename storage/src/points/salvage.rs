//! Ids and versions of a damaged file, as far as they can be read.

use uuid::Uuid;
use vdb_vfs::Disk;
use vdb_vfs::frame::Salvage;

use super::format::{KIND, Meta, NUMBERS, ROW_VERSIONS, SegmentIdentity, TABLE, UUIDS, VERSIONS};
use crate::section::{count_of, number_at, salvaged_meta};
use crate::{Error, PointId, Result};

/// A points file that may be damaged. Rows are not found by id: the table is not needed where all are read.
#[derive(Debug)]
pub struct PointsSalvage {
    file: Salvage,
    meta: Option<Meta>,
    numbers: u32,
    rows: u32,
}

impl PointsSalvage {
    /// Reads the file at `path`; `crc` is the checksum that a manifest knows it by, if there is one.
    ///
    /// # Errors
    /// When nothing in it can be told, and those of the disk.
    pub fn open(disk: &dyn Disk, path: &str, crc: Option<u32>) -> Result<Self> {
        let file = Salvage::open(disk, path, KIND, VERSIONS, TABLE + 1..=TABLE + 1, crc)?;
        let counts = (
            count_of::<u64>(&file, NUMBERS),
            count_of::<[u8; 16]>(&file, UUIDS),
            count_of::<u64>(&file, ROW_VERSIONS),
        );
        let (Some(numbers), Some(uuids), Some(rows)) = counts else {
            return Err(Error::corrupt(
                file.display(),
                0,
                "a section has part of a number",
            ));
        };
        if numbers.checked_add(uuids) != Some(rows) {
            let what = format!("{numbers} numbers and {uuids} UUIDs, but {rows} versions");
            return Err(Error::corrupt(file.display(), 0, what));
        }
        Ok(PointsSalvage {
            meta: salvaged_meta(&file),
            file,
            numbers,
            rows,
        })
    }

    /// Where the segment belongs and what it covers; `None` when that is lost.
    pub fn identity(&self) -> Option<&SegmentIdentity> {
        Some(&self.meta.as_ref()?.identity)
    }

    /// How many rows there are.
    pub fn len(&self) -> u32 {
        self.rows
    }

    /// True when there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The id of a row; `None` when it is lost.
    pub fn id(&self, row: u32) -> Option<PointId> {
        match row.checked_sub(self.numbers) {
            None => number_at(&self.file, NUMBERS, row).map(PointId::Num),
            Some(row) => number_at(&self.file, UUIDS, row).map(|b| PointId::Uuid(Uuid::from_bytes(b))),
        }
    }

    /// The version of a row; `None` when it is lost.
    pub fn version(&self, row: u32) -> Option<u64> {
        number_at(&self.file, ROW_VERSIONS, row)
    }

    /// All that is wrong with the file.
    pub fn faults(&self) -> &[vdb_vfs::Error] {
        self.file.faults()
    }
}
