//! Finds rows by id and ids by row.

use uuid::Uuid;
use vdb_sys::kernel::prefetch;
use vdb_vfs::Disk;
use vdb_vfs::frame::{Frame, FrameInfo};

use super::format::{
    EMPTY, KIND, Meta, NUMBERS, ROW_VERSIONS, SegmentIdentity, TABLE, UUIDS, VERSIONS, hash, home, row_bits,
    row_in, slot_count,
};
use crate::section::{self, Array};
use crate::{Error, PointId, Result};

/// An open points file. Looking up costs one cache miss for an id that is not there, two for one that is, none
/// for an id outside the range of those in the file.
#[derive(Debug)]
pub struct PointsReader {
    frame: Frame,
    meta: Meta,
    numbers: Array<u64>,
    uuids: Array<[u8; 16]>,
    versions: Array<u64>,
    table: Array<u32>,
    /// First and last number.
    number_range: Option<(u64, u64)>,
    /// First and last UUID.
    uuid_range: Option<([u8; 16], [u8; 16])>,
}

impl PointsReader {
    /// Maps the file at `path`, in time independent of its size.
    pub fn open(disk: &dyn Disk, path: &str) -> Result<Self> {
        let frame = Frame::open(disk, path, KIND, VERSIONS)?;
        let meta: Meta = section::meta(&frame)?;
        let Some(rows) = meta.numbers.checked_add(meta.uuids) else {
            let what = format!(
                "expected at most 2^32-1 rows, found {} and {}",
                meta.numbers, meta.uuids
            );
            return Err(frame.corrupt(frame.meta_at(), what).into());
        };
        if u64::from(meta.max_probe) >= slot_count(rows) {
            let what = format!(
                "searches of {} slots in a table of {}",
                meta.max_probe,
                slot_count(rows)
            );
            return Err(frame.corrupt(frame.meta_at(), what).into());
        }
        let numbers = Array::open(&frame, NUMBERS, u64::from(meta.numbers))?;
        let uuids = Array::open(&frame, UUIDS, u64::from(meta.uuids))?;
        Ok(PointsReader {
            versions: Array::open(&frame, ROW_VERSIONS, u64::from(rows))?,
            table: Array::open(&frame, TABLE, slot_count(rows))?,
            number_range: first_and_last(&numbers),
            uuid_range: first_and_last(&uuids),
            frame,
            meta,
            numbers,
            uuids,
        })
    }

    /// Where the segment belongs and what it covers.
    pub fn identity(&self) -> &SegmentIdentity {
        &self.meta.identity
    }

    /// Length and checksum of the file, as its writer returned them.
    pub fn info(&self) -> FrameInfo {
        self.frame.info()
    }

    /// How many rows there are.
    pub fn len(&self) -> u32 {
        // `open` has seen that this does not overflow.
        self.meta.numbers.saturating_add(self.meta.uuids)
    }

    /// True when there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The ids of the first rows, which are numbers.
    pub fn numbers(&self) -> &[u64] {
        &self.numbers
    }

    /// The ids of the rows after them, which are UUIDs.
    pub fn uuids(&self) -> &[[u8; 16]] {
        &self.uuids
    }

    /// The id of a row.
    pub fn id(&self, row: u32) -> Option<PointId> {
        match row.checked_sub(self.meta.numbers) {
            None => self.numbers.get(row as usize).copied().map(PointId::Num),
            Some(row) => self
                .uuids
                .get(row as usize)
                .copied()
                .map(|bytes| PointId::Uuid(Uuid::from_bytes(bytes))),
        }
    }

    /// The version of a row: the number of the last operation that touched its point.
    pub fn version(&self, row: u32) -> Option<u64> {
        self.versions.get(row as usize).copied()
    }

    /// Asks for the id and the version of a row that will be read soon.
    pub fn prefetch(&self, row: u32) {
        let at = row as usize;
        if let Some(version) = self.versions.get(at..=at) {
            prefetch(bytemuck::cast_slice(version));
        }
        if let Some(number) = self.numbers.get(at..=at) {
            prefetch(bytemuck::cast_slice(number));
        }
    }

    /// Ids and versions of the rows from `row` on.
    pub fn iter_from(&self, row: u32) -> impl Iterator<Item = (u32, PointId, u64)> + '_ {
        (row..self.len()).map_while(|row| Some((row, self.id(row)?, self.version(row)?)))
    }

    /// The row of an id.
    pub fn find(&self, id: PointId) -> Option<u32> {
        let in_range = match id {
            PointId::Num(number) => self
                .number_range
                .is_some_and(|(min, max)| min <= number && number <= max),
            PointId::Uuid(uuid) => self
                .uuid_range
                .is_some_and(|(min, max)| min <= *uuid.as_bytes() && *uuid.as_bytes() <= max),
        };
        if !in_range {
            return None;
        }
        let hash = hash(id, self.meta.seed);
        let row_bits = row_bits(self.len());
        let table = &*self.table;
        let mut at = home(hash, table.len() as u64) as usize;
        for _ in 0..=self.meta.max_probe {
            let slot = *table.get(at)?;
            if slot == EMPTY {
                return None;
            }
            if let Some(row) = row_in(slot, hash, row_bits).filter(|&row| self.id(row) == Some(id)) {
                return Some(row);
            }
            at = if at + 1 == table.len() { 0 } else { at + 1 };
        }
        None
    }

    /// The first row whose id is not below `id`; the number of rows when all are below.
    pub fn lower_bound(&self, id: PointId) -> u32 {
        match id {
            PointId::Num(number) => self.numbers.partition_point(|&other| other < number) as u32,
            PointId::Uuid(uuid) => {
                let below = self.uuids.partition_point(|other| other < uuid.as_bytes()) as u32;
                self.meta.numbers.saturating_add(below)
            }
        }
    }

    /// Reads the whole file and checks every byte, the order of the ids, and that each one is found.
    ///
    /// # Errors
    /// The first damage, and those of the disk.
    pub fn verify(&self, disk: &dyn Disk) -> Result<()> {
        self.frame.verify(disk)?;
        self.check_order(NUMBERS, &self.numbers)?;
        self.check_order(UUIDS, &self.uuids)?;
        let filled = self.table.iter().filter(|&&slot| slot != EMPTY).count();
        if filled != self.len() as usize {
            return Err(self.corrupt(
                TABLE,
                0,
                format!("table has {filled} rows, expected {}", self.len()),
            ));
        }
        for (row, id, _) in self.iter_from(0) {
            if self.find(id) != Some(row) {
                return Err(self.corrupt(
                    TABLE,
                    0,
                    format!("point {id} of row {row} is not found in the table"),
                ));
            }
        }
        Ok(())
    }

    /// How many slots behind the first one a search may have to look at.
    #[cfg(test)]
    pub(super) fn max_probe(&self) -> u32 {
        self.meta.max_probe
    }

    fn check_order<T: Ord>(&self, section: u32, ids: &[T]) -> Result<()> {
        match ids.windows(2).position(|pair| pair[0] >= pair[1]) {
            None => Ok(()),
            Some(at) => {
                let offset = (at + 1) as u64 * size_of::<T>() as u64;
                Err(self.corrupt(
                    section,
                    offset,
                    format!("id {} does not follow the one before", at + 1),
                ))
            }
        }
    }

    fn corrupt(&self, section: u32, offset: u64, what: String) -> Error {
        self.frame.corrupt_section(section, offset, what).into()
    }
}

fn first_and_last<T: Copy>(ids: &[T]) -> Option<(T, T)> {
    Some((*ids.first()?, *ids.last()?))
}
