//! Sparse vectors of a damaged file, as far as they can be read.

use vdb_sys::sparse::SparseView;
use vdb_vfs::Disk;
use vdb_vfs::frame::Salvage;

use super::format::{KIND, MAX_NONZEROS, Meta, PAIR, PLACES, Place, VECTORS, VERSIONS};
use crate::section::{count_of, number_at, salvaged_meta};
use crate::vectors::Salvaged;
use crate::{Error, Result};

/// What a damaged file says of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SalvagedSparse<'a> {
    /// Its vector.
    Vector(SparseView<'a>),
    /// That the row does not have the vector.
    Absent,
    /// Nothing: its vector, or whether it has one, is lost.
    Lost,
}

/// A file of sparse vectors that may be damaged.
#[derive(Debug)]
pub struct SparseSalvage {
    file: Salvage,
    rows: u32,
}

impl SparseSalvage {
    /// Reads the file at `path`, which should be of a segment of `rows` rows; `crc` is the checksum that a manifest knows
    /// it by, if there is one.
    ///
    /// # Errors
    /// When nothing in it can be told, when it is of another segment, and those of the disk.
    pub fn open(disk: &dyn Disk, path: &str, rows: u32, crc: Option<u32>) -> Result<Self> {
        let file = Salvage::open(disk, path, KIND, VERSIONS, PLACES + 1..=PLACES + 1, crc)?;
        let found = salvaged_meta::<Meta>(&file).map(|meta| meta.rows);
        let places = count_of::<u64>(&file, PLACES);
        if found.is_some_and(|found| found != rows) || places != rows.checked_add(1) {
            let what = format!("it has {places:?} places for {found:?} rows, expected {rows} rows");
            return Err(Error::corrupt(file.display(), 0, what));
        }
        Ok(SparseSalvage { file, rows })
    }

    /// What the file says of a row.
    pub fn get(&self, row: u32) -> SalvagedSparse<'_> {
        let place = |row| number_at::<u64>(&self.file, PLACES, row).map(Place::decode);
        if row >= self.rows {
            return SalvagedSparse::Lost;
        }
        match place(row) {
            None => SalvagedSparse::Lost,
            Some(place) if !place.is_present => SalvagedSparse::Absent,
            Some(Place { start, .. }) => place(row + 1)
                .and_then(|next| self.vector(start, next.start))
                .map_or(SalvagedSparse::Lost, SalvagedSparse::Vector),
        }
    }

    /// The same, a vector in its stored form: its dimensions, then their values.
    pub fn stored(&self, row: u32) -> Salvaged<'_> {
        match self.get(row) {
            SalvagedSparse::Absent => Salvaged::Absent,
            SalvagedSparse::Lost => Salvaged::Lost,
            SalvagedSparse::Vector(vector) => {
                let start = number_at::<u64>(&self.file, PLACES, row).map(|place| Place::decode(place).start);
                // What `get` has read.
                let bytes = start.and_then(|start| {
                    let start = start * PAIR;
                    self.file.get(VECTORS, start..start + vector.len() as u64 * PAIR)
                });
                bytes.map_or(Salvaged::Lost, Salvaged::Vector)
            }
        }
    }

    fn vector(&self, start: u64, end: u64) -> Option<SparseView<'_>> {
        let len = end.checked_sub(start)?;
        if len > MAX_NONZEROS as u64 {
            return None;
        }
        let bytes = self
            .file
            .get(VECTORS, start.checked_mul(PAIR)?..end.checked_mul(PAIR)?)?;
        let words: &[u32] = bytemuck::try_cast_slice(bytes).ok()?;
        let (dimensions, values) = words.split_at(words.len() / 2);
        let vector = SparseView::new(dimensions, bytemuck::try_cast_slice(values).ok()?)?;
        vector.fault().is_none().then_some(vector)
    }

    /// All that is wrong with the file.
    pub fn faults(&self) -> &[vdb_vfs::Error] {
        self.file.faults()
    }
}
