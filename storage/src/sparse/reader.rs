//! Finds the sparse vector of a row.

use vdb_sys::sparse::{SparseFault, SparseView};
use vdb_vfs::Disk;
use vdb_vfs::frame::{Frame, FrameInfo};

use super::format::{KIND, MAX_NONZEROS, Meta, PAIR, PLACES, Place, VECTORS, VERSIONS};
use crate::section::{self, Array};
use crate::{Error, Result};

/// An open file of sparse vectors.
#[derive(Debug)]
pub struct SparseReader {
    frame: Frame,
    meta: Meta,
    /// Dimensions and the bits of values.
    words: Array<u32>,
    places: Array<u64>,
}

impl SparseReader {
    /// Maps the file at `path`, in time independent of its size.
    pub fn open(disk: &dyn Disk, path: &str) -> Result<Self> {
        let frame = Frame::open(disk, path, KIND, VERSIONS)?;
        let meta: Meta = section::meta(&frame)?;
        let wrong = |what| Error::from(frame.corrupt(frame.meta_at(), what));
        if meta.present > meta.rows {
            let Meta { rows, present, .. } = meta;
            return Err(wrong(format!(
                "{present} vectors, expected at most one for each of {rows} rows"
            )));
        }
        let words = meta
            .nonzeros
            .checked_mul(2)
            .ok_or_else(|| wrong(format!("{} values are more than a file can hold", meta.nonzeros)))?;
        let words = Array::open(&frame, VECTORS, words)?;
        let places = Array::open(&frame, PLACES, u64::from(meta.rows) + 1)?;
        Ok(SparseReader {
            frame,
            meta,
            words,
            places,
        })
    }

    /// Length and checksum of the file, as its writer returned them.
    pub fn info(&self) -> FrameInfo {
        self.frame.info()
    }

    /// How many rows have the vector.
    pub fn len(&self) -> u32 {
        self.meta.present
    }

    /// True when no row has the vector.
    pub fn is_empty(&self) -> bool {
        self.meta.present == 0
    }

    /// Rows of the segment, those without the vector included.
    pub fn rows(&self) -> u32 {
        self.meta.rows
    }

    /// Values of all vectors together.
    pub fn nonzeros(&self) -> u64 {
        self.meta.nonzeros
    }

    /// The vector of a row; `None` where the row does not have it. That its dimensions ascend and its values are finite
    /// is what [`verify`](Self::verify) checks.
    ///
    /// # Errors
    /// [`Error::NoSuchRow`], and corruption where the file does not say where the vector is.
    pub fn get(&self, row: u32) -> Result<Option<SparseView<'_>>> {
        let Some(&[place, next]) = self
            .places
            .get(row as usize..)
            .and_then(|places| places.first_chunk())
        else {
            return Err(Error::NoSuchRow {
                path: self.frame.display().to_owned(),
                row,
                rows: self.meta.rows,
            });
        };
        let (place, end) = (Place::decode(place), Place::decode(next).start);
        if !place.is_present {
            return Ok(None);
        }
        self.view(place.start, end).map(Some).ok_or_else(|| {
            let what = format!(
                "the sparse vector of row {row} has values {} to {end} of {}, expected at most {MAX_NONZEROS}",
                place.start, self.meta.nonzeros
            );
            let at = u64::from(row) * size_of::<u64>() as u64;
            self.frame.corrupt_section(PLACES, at, what).into()
        })
    }

    /// The stored form of the vector of a row: its dimensions, then their values.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn stored(&self, row: u32) -> Result<Option<&[u8]>> {
        let Some(vector) = self.get(row)? else {
            return Ok(None);
        };
        let start = self
            .places
            .get(row as usize)
            .map_or(0, |&place| Place::decode(place).start);
        // Within the words, as `get` has found.
        let words = self
            .words
            .get(start as usize * 2..)
            .and_then(|words| words.get(..2 * vector.len()));
        Ok(words.map(bytemuck::cast_slice))
    }

    /// As [`stored`](Self::stored), compared with its checksums and found to be a vector: for whoever writes it into another file.
    /// Reads each chunk that it touches once while the file is open.
    ///
    /// # Errors
    /// As [`get`](Self::get), and damage to the vector or what lies near it.
    pub fn checked(&self, row: u32) -> Result<Option<&[u8]>> {
        if row < self.meta.rows {
            let places = section::number_and_next(row);
            self.frame.check_part(PLACES, places)?;
        }
        let Some(vector) = self.get(row)? else {
            return Ok(None);
        };
        let start = self
            .places
            .get(row as usize)
            .map_or(0, |&place| Place::decode(place).start);
        let bytes = start * PAIR..(start + vector.len() as u64) * PAIR;
        self.frame.check_part(VECTORS, bytes)?;
        match vector.fault() {
            None => self.stored(row),
            Some(fault) => Err(self.faulty(row, start, vector, fault)),
        }
    }

    /// Whether a row has the vector; not where the file does not say.
    pub fn has(&self, row: u32) -> bool {
        row < self.meta.rows
            && self
                .places
                .get(row as usize)
                .is_some_and(|&place| Place::decode(place).is_present)
    }

    /// Which rows have the vector: 64 a word, the first one lowest. Not those of which the file does not say.
    pub fn presence(&self) -> Vec<u64> {
        let places = self.places.get(..self.meta.rows as usize).unwrap_or_default();
        let word = |places: &[u64]| {
            let last_first = places.iter().rev();
            last_first.fold(0, |word, &place| {
                word << 1 | u64::from(Place::decode(place).is_present)
            })
        };
        places.chunks(64).map(word).collect()
    }

    /// The vectors of all rows that have one, in the order of rows.
    ///
    /// # Errors
    /// As [`get`](Self::get), for each row.
    pub fn iter(&self) -> impl Iterator<Item = Result<(u32, SparseView<'_>)>> + Clone {
        (0..self.meta.rows).filter_map(|row| {
            let vector = self.get(row).transpose()?;
            Some(vector.map(|vector| (row, vector)))
        })
    }

    /// Reads the whole file and checks every byte, and that every vector is one.
    ///
    /// # Errors
    /// The first damage, and those of the disk.
    pub fn verify(&self, disk: &dyn Disk) -> Result<()> {
        self.frame.verify(disk)?;
        let wrong = |row: u64, what| Error::from(self.frame.corrupt_section(PLACES, row * 8, what));
        let (mut expected, mut present) = (0, 0);
        for row in 0..self.meta.rows {
            let place = self.places.get(row as usize).copied().map(Place::decode);
            if place.is_none_or(|place| place.start != expected) {
                return Err(wrong(
                    u64::from(row),
                    format!("the place of row {row} is {place:?}, expected {expected}"),
                ));
            }
            let Some(vector) = self.get(row)? else { continue };
            present += 1;
            if let Some(fault) = vector.fault() {
                return Err(self.faulty(row, expected, vector, fault));
            }
            expected += vector.len() as u64;
        }
        let end = self.places.last().copied().map(Place::decode);
        let wanted = Place {
            start: self.meta.nonzeros,
            is_present: false,
        };
        if end != Some(wanted) || expected != self.meta.nonzeros || present != self.meta.present {
            let what = format!(
                "{present} vectors of {expected} values end at {end:?}, expected {} of {}",
                self.meta.present, self.meta.nonzeros
            );
            return Err(wrong(u64::from(self.meta.rows), what));
        }
        Ok(())
    }

    fn view(&self, start: u64, end: u64) -> Option<SparseView<'_>> {
        let len = usize::try_from(end.checked_sub(start)?).ok()?;
        if len > MAX_NONZEROS || end > self.meta.nonzeros {
            return None;
        }
        // Doubled, both are within the section, whose length was checked against `nonzeros`.
        let start = usize::try_from(start * 2).ok()?;
        let words = self.words.get(start..start + 2 * len)?;
        let (dimensions, values) = words.split_at(len);
        SparseView::new(dimensions, bytemuck::try_cast_slice(values).ok()?)
    }

    fn faulty(&self, row: u32, start: u64, vector: SparseView<'_>, fault: SparseFault) -> Error {
        let (word, what) = match fault {
            SparseFault::Order(at) => (at, "is not above the dimension before it"),
            SparseFault::Value(at) => (vector.len() + at, "is not a finite value"),
        };
        let at = start * PAIR + word as u64 * 4;
        let what = format!("word {word} of the sparse vector of row {row} {what}");
        self.frame.corrupt_section(VECTORS, at, what).into()
    }
}
