//! Streams a points file out.

use vdb_vfs::Disk;
use vdb_vfs::frame::{FrameInfo, FrameWriter};

use super::format::{EMPTY, KIND, Meta, SegmentIdentity, hash, home, mix, row_bits, slot, slot_count};
use crate::{Error, PointId, Result, codec};

/// Writes the ids and versions of a segment, row by row. Keeps 16 bytes a row in memory, and 7 more while finishing.
#[derive(Debug)]
pub struct PointsWriter {
    frame: FrameWriter,
    path: String,
    identity: SegmentIdentity,
    seed: u64,
    numbers: u32,
    last: Option<PointId>,
    versions: Vec<u64>,
    hashes: Vec<u64>,
}

impl PointsWriter {
    /// Creates the file at `path`, or truncates it.
    pub fn create(disk: &dyn Disk, path: &str, identity: SegmentIdentity) -> Result<Self> {
        let mut frame = FrameWriter::create(disk, path, KIND, &[])?;
        frame.begin_section()?;
        // The same segment gets the same bytes whenever it is written; ids that collide in one segment do not
        // in the next.
        let seed = mix(identity.segment_id ^ u64::from(identity.collection_id) << 32);
        Ok(PointsWriter {
            frame,
            path: disk.display(path),
            identity,
            seed,
            numbers: 0,
            last: None,
            versions: Vec::new(),
            hashes: Vec::new(),
        })
    }

    /// Writes a whole file from points in ascending order of their ids.
    ///
    /// # Errors
    /// As [`PointsWriter::push`].
    pub fn write(
        disk: &dyn Disk,
        path: &str,
        identity: SegmentIdentity,
        points: impl IntoIterator<Item = (PointId, u64)>,
    ) -> Result<FrameInfo> {
        let mut writer = PointsWriter::create(disk, path, identity)?;
        for (id, version) in points {
            writer.push(id, version)?;
        }
        writer.finish()
    }

    /// Appends the next row and returns its number.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an id that is not greater than the one before, or for a row too many; those of the
    /// disk.
    pub fn push(&mut self, id: PointId, version: u64) -> Result<u32> {
        if let Some(last) = self.last.filter(|&last| last >= id) {
            return Err(self.invalid(format!("point {id} follows point {last}, ids must ascend")));
        }
        let row = u32::try_from(self.versions.len()).unwrap_or(u32::MAX);
        if row == u32::MAX {
            return Err(self.invalid(format!("more than {} points", u32::MAX)));
        }
        match id {
            PointId::Num(number) => {
                self.frame.write(&number.to_le_bytes())?;
                self.numbers += 1;
            }
            PointId::Uuid(uuid) => {
                if row == self.numbers {
                    self.frame.begin_section()?;
                }
                self.frame.write(uuid.as_bytes())?;
            }
        }
        self.last = Some(id);
        self.versions.push(version);
        self.hashes.push(hash(id, self.seed));
        Ok(row)
    }

    /// Writes the rest and syncs the file. The caller syncs the directory.
    pub fn finish(mut self) -> Result<FrameInfo> {
        let rows = self.versions.len() as u32;
        if rows == self.numbers {
            self.frame.begin_section()?;
        }
        self.frame.begin_section()?;
        self.frame.write(bytemuck::cast_slice(&self.versions))?;
        self.versions = Vec::new();
        let (table, max_probe) = build_table(&self.hashes);
        self.frame.begin_section()?;
        self.frame.write(bytemuck::cast_slice(&table))?;
        let meta = Meta {
            identity: self.identity,
            numbers: self.numbers,
            uuids: rows - self.numbers,
            seed: self.seed,
            max_probe,
        };
        self.frame.set_meta(&codec::encode(&meta)?)?;
        Ok(self.frame.finish()?)
    }

    fn invalid(&self, reason: String) -> Error {
        Error::Invalid {
            path: self.path.clone(),
            reason,
        }
    }
}

/// The table over the hashes of all rows, and the longest way from a row's first slot to its own.
fn build_table(hashes: &[u64]) -> (Vec<u32>, u32) {
    let rows = hashes.len() as u32;
    let (slots, row_bits) = (slot_count(rows), row_bits(rows));
    let mut table = vec![EMPTY; slots as usize];
    let mut max_probe = 0;
    for (row, &hash) in (0..rows).zip(hashes) {
        let mut at = home(hash, slots) as usize;
        let mut probe = 0;
        // Ends: two slots of five stay empty.
        while table[at] != EMPTY {
            at = if at + 1 == table.len() { 0 } else { at + 1 };
            probe += 1;
        }
        table[at] = slot(row, hash, row_bits);
        max_probe = max_probe.max(probe);
    }
    (table, max_probe)
}
