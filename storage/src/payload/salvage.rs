//! Payloads of a damaged file, as far as they can be read.

use vdb_vfs::Disk;
use vdb_vfs::frame::Salvage;

use super::format::{BLOBS, KIND, OFFSETS, VERSIONS};
use super::value::ObjectRef;
use crate::Result;
use crate::section::number_at;

/// A file of payloads that may be damaged.
#[derive(Debug)]
pub struct PayloadSalvage {
    file: Salvage,
}

impl PayloadSalvage {
    /// Reads the file at `path`; `crc` is the checksum that a manifest knows it by, if there is one.
    ///
    /// # Errors
    /// When nothing in it can be told, and those of the disk.
    pub fn open(disk: &dyn Disk, path: &str, crc: Option<u32>) -> Result<Self> {
        let file = Salvage::open(disk, path, KIND, VERSIONS, OFFSETS + 1..=OFFSETS + 1, crc)?;
        Ok(PayloadSalvage { file })
    }

    /// The encoded payload of a row; empty where the row has none, `None` where it is lost.
    pub fn get(&self, row: u32) -> Option<&[u8]> {
        let start = number_at(&self.file, OFFSETS, row)?;
        let end = number_at(&self.file, OFFSETS, row.checked_add(1)?)?;
        let bytes = self.file.get(BLOBS, start..end)?;
        ObjectRef::from_payload(bytes).ok()?.check().ok()?;
        Some(bytes)
    }

    /// All that is wrong with the file.
    pub fn faults(&self) -> &[vdb_vfs::Error] {
        self.file.faults()
    }
}
