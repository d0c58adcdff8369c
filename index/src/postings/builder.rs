//! Collects the values of a segment and writes their index.

use std::{collections::HashMap, mem};

use roaring::RoaringBitmap;
use vdb_vfs::{
    Disk,
    frame::{FrameInfo, FrameWriter},
};

use super::{
    bitmap::append,
    counts::Counts,
    details,
    format::{
        BITMAPS, COUNTS, Class, ClassRecord, Count, DETAILS, FILE, KEYS, LARGE, Large, Meta, ROWS, RUNS,
        STARTS, TERMS,
    },
    key::{Key, Kind, Stored},
    number,
};
use crate::{Error, Result};

/// A key with fewer rows than this is never a bitmap.
const SMALLEST_BITMAP: usize = 64;

/// Gathers keys and classes by row, in any order of rows, and writes a postings file.
///
/// Holds 16 bytes a pair of key and row (12 for keywords and UUIDs, plus every different term once), and about as much again
/// while it writes: [`Builder::bytes`] tells.
///
/// ```
/// use vdb_index::postings::{Builder, Key, Kind, PostingsFile};
/// use vdb_vfs::MemDisk;
///
/// let disk = MemDisk::new();
/// let mut builder = Builder::new(Kind::Keyword);
/// builder.push(0, Key::Term("noun"));
/// builder.push(1, Key::Term("verb"));
/// builder.push(2, Key::Term("noun"));
/// builder.finish(&disk, "pos", 3)?;
///
/// let index = PostingsFile::open(&disk, "pos", 3)?;
/// assert_eq!(index.equals(Key::Term("noun"))?.iter().collect::<Vec<_>>(), [0, 2]);
/// # Ok::<(), vdb_index::Error>(())
/// ```
#[derive(Debug)]
pub struct Builder {
    kind: Kind,
    /// Whether the elements are kept that values are in.
    elements: bool,
    values: Values,
    foreign: RoaringBitmap,
    null: RoaringBitmap,
    filled: RoaringBitmap,
    counts: Counts,
}

/// Of a key, or its number: a row, and an element of it where those are kept, else 0.
type Filed<K> = (K, u32, u32);

#[derive(Debug)]
enum Values {
    Numbers(Vec<Filed<i64>>),
    Terms {
        /// Terms by order of appearance.
        numbers: HashMap<Box<[u8]>, u32>,
        text_bytes: usize,
        /// By number of the term.
        pairs: Vec<Filed<u32>>,
    },
}

impl Builder {
    /// An empty index of any kind but [`Kind::Text`], which has a [builder](super::TextBuilder) of its own.
    #[must_use]
    pub fn new(kind: Kind) -> Self {
        let values = if kind.has_terms() {
            Values::Terms {
                numbers: HashMap::new(),
                text_bytes: 0,
                pairs: Vec::new(),
            }
        } else {
            Values::Numbers(Vec::new())
        };
        let none = RoaringBitmap::new();
        Self {
            kind,
            elements: false,
            values,
            foreign: none.clone(),
            null: none.clone(),
            filled: none,
            counts: Counts::default(),
        }
    }

    /// One that keeps in which elements of an array values are.
    #[must_use]
    pub fn with_elements(kind: Kind) -> Self {
        Self {
            elements: true,
            ..Self::new(kind)
        }
    }

    /// The kind of index that is built.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Files `row` under `key`. A key of another kind makes the row [`Class::Foreign`].
    pub fn push(&mut self, row: u32, key: Key<'_>) {
        self.push_in(row, 0, key);
    }

    /// As [`push`](Self::push), for a value in this element of an array.
    pub fn push_in(&mut self, row: u32, element: u32, key: Key<'_>) {
        let element = if self.elements { element } else { 0 };
        let stored = key.stored(self.kind);
        match (&mut self.values, &stored) {
            (Values::Numbers(pairs), Some(Stored::Number(number))) => {
                push_new(pairs, (*number, row, element));
            }
            (
                Values::Terms {
                    numbers,
                    text_bytes,
                    pairs,
                },
                Some(stored @ (Stored::Term(_) | Stored::Uuid(_))),
            ) => {
                let term = stored.bytes();
                let number = match numbers.get(term) {
                    Some(number) => *number,
                    None => {
                        // More terms than 2^32 are refused by `finish`, by their pairs.
                        let number = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
                        *text_bytes += term.len();
                        numbers.insert(term.into(), number);
                        number
                    }
                };
                push_new(pairs, (number, row, element));
            }
            (Values::Numbers(_) | Values::Terms { .. }, _) => self.foreign(row),
        }
    }

    /// Puts `row` into [`Class::Foreign`].
    pub fn foreign(&mut self, row: u32) {
        self.foreign.insert(row);
    }

    /// Puts `row` into [`Class::Null`].
    pub fn null(&mut self, row: u32) {
        self.null.insert(row);
    }

    /// Puts `row` into [`Class::Filled`]. Rows that are present or foreign are filled without saying so.
    pub fn filled(&mut self, row: u32) {
        self.filled.insert(row);
    }

    /// What the path leads to in `row` has so many values; said of each node. It is filled where there is any.
    pub fn values(&mut self, row: u32, values: u64) {
        self.counts.add(row, values);
    }

    /// About how much memory is held.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let classes = [&self.foreign, &self.null, &self.filled].map(RoaringBitmap::serialized_size);
        let values = match &self.values {
            Values::Numbers(pairs) => pairs.capacity() * size_of::<Filed<i64>>(),
            Values::Terms {
                numbers,
                text_bytes,
                pairs,
            } => {
                let term = size_of::<(Box<[u8]>, u32)>() + 1;
                numbers.capacity() * term + text_bytes + pairs.capacity() * size_of::<Filed<u32>>()
            }
        };
        values + classes.iter().sum::<usize>() + self.counts.bytes()
    }

    /// Writes the index of a segment of `rows` rows to `path`, and syncs the file (not its directory).
    ///
    /// # Errors
    /// [`Error::BadParameter`] when a row is not below `rows` or the kind is [`Kind::Text`], [`Error::TooManyPairs`] when
    /// one file cannot hold them, and those of the disk.
    pub fn finish(mut self, disk: &dyn Disk, path: &str, rows: u32) -> Result<FrameInfo> {
        if self.kind == Kind::Text {
            return Err(Error::BadParameter {
                parameter: "kind",
                value: u64::from(self.kind.code()),
                range: "those whose keys are values",
            });
        }
        let values = mem::replace(&mut self.values, Values::Numbers(Vec::new()));
        match values {
            Values::Numbers(mut pairs) => {
                pairs.sort_unstable();
                pairs.dedup();
                self.write(disk, path, rows, pairs, &[])
            }
            Values::Terms {
                numbers, mut pairs, ..
            } => {
                let mut terms: Vec<(Box<[u8]>, u32)> = numbers.into_iter().collect();
                terms.sort_unstable();
                let mut ranks = vec![0; terms.len()];
                for ((_, number), rank) in terms.iter().zip(0_u32..) {
                    if let Some(slot) = ranks.get_mut(*number as usize) {
                        *slot = rank;
                    }
                }
                for (number, ..) in &mut pairs {
                    *number = ranks.get(*number as usize).copied().unwrap_or(u32::MAX);
                }
                pairs.sort_unstable();
                pairs.dedup();
                self.write(disk, path, rows, pairs, &terms)
            }
        }
    }

    /// `filed` is sorted, and each of it different; `terms` are the keys where those are not numbers.
    fn write<K: Copy + Eq + Into<i64>>(
        mut self,
        disk: &dyn Disk,
        path: &str,
        rows: u32,
        mut pairs: Vec<Filed<K>>,
        terms: &[(Box<[u8]>, u32)],
    ) -> Result<FrameInfo> {
        let places = self.elements.then(|| places(&pairs));
        pairs.dedup_by(|b, a| (a.0, a.1) == (b.0, b.1));
        let pairs = pairs.as_slice();
        // One more than the keys has to be a u32 as well.
        if pairs.len() >= u32::MAX as usize {
            return Err(Error::TooManyPairs {
                pairs: pairs.len() as u64,
                limit: u64::from(u32::MAX - 1),
            });
        }
        let mut bitmaps = Vec::new();
        let classes = self.classes(rows, pairs)?;
        let [.., filled] = &classes;
        let filled = filled.clone();
        let records = append_classes(classes, &mut bitmaps);
        let counts = mem::take(&mut self.counts).finish(&filled, &mut bitmaps);
        let large = large_keys(pairs, &mut bitmaps);

        let mut keys = 0;
        let mut writer = FrameWriter::create(disk, path, FILE, &[])?;
        begin(&mut writer, KEYS)?;
        if self.kind.has_terms() {
            let mut start = 0_u64;
            writer.write(&start.to_le_bytes())?;
            for (term, _) in terms {
                start += term.len() as u64;
                writer.write(&start.to_le_bytes())?;
                keys += 1;
            }
        } else {
            for group in groups(pairs) {
                let key: Option<i64> = group.first().map(|(key, ..)| (*key).into());
                writer.write(&key.unwrap_or_default().to_le_bytes())?;
                keys += 1;
            }
        }
        begin(&mut writer, TERMS)?;
        for (term, _) in terms {
            writer.write(term)?;
        }
        begin(&mut writer, RUNS)?;
        let mut start = 0_u32;
        writer.write(&start.to_le_bytes())?;
        for (_, group) in small(pairs, &large) {
            start += group.len() as u32;
            writer.write(&start.to_le_bytes())?;
        }
        begin(&mut writer, ROWS)?;
        for (_, group) in small(pairs, &large) {
            for (_, row, _) in group {
                writer.write(&row.to_le_bytes())?;
            }
        }
        begin(&mut writer, LARGE)?;
        for entry in &large {
            writer.write(&entry.encode())?;
        }
        begin(&mut writer, BITMAPS)?;
        writer.write(&bitmaps)?;
        write_counts(&mut writer, &counts)?;
        if let Some((lengths, details)) = places {
            begin(&mut writer, STARTS)?;
            write_starts(&mut writer, lengths.into_iter(), |start| start.to_le_bytes())?;
            begin(&mut writer, DETAILS)?;
            writer.write(&details)?;
        }
        let meta = Meta {
            kind: self.kind,
            rows,
            keys,
            large: large.len() as u32,
            entries: pairs.len() as u64,
            classes: records,
            counts: counts.len() as u32,
            elements: self.elements,
            frequent: 0,
            bigrams: 0,
            text: None,
        };
        writer.set_meta(&meta.encode())?;
        Ok(writer.finish()?)
    }

    /// The classes in the order of [`Class::ALL`].
    fn classes<K>(&self, rows: u32, pairs: &[Filed<K>]) -> Result<[RoaringBitmap; Class::ALL.len()]> {
        let marked = [&self.foreign, &self.null, &self.filled]
            .into_iter()
            .filter_map(RoaringBitmap::max)
            .max()
            .max(self.counts.max());
        let greatest = pairs.iter().map(|(_, row, _)| *row).max().max(marked);
        if let Some(row) = greatest.filter(|&row| row >= rows) {
            let range = "0 to the number of rows of the segment";
            return Err(Error::BadParameter {
                parameter: "row",
                value: u64::from(row),
                range,
            });
        }
        // Keys come in their own order and rows in none, so plain bits are filled faster than bitmaps are.
        let mut present = vec![0_u8; (rows as usize).div_ceil(8)];
        let mut multiple = present.clone();
        for (_, row, _) in pairs {
            let (byte, bit) = ((row / 8) as usize, 1 << (row % 8));
            if let (Some(present), Some(multiple)) = (present.get_mut(byte), multiple.get_mut(byte)) {
                *multiple |= *present & bit;
                *present |= bit;
            }
        }
        let [present, multiple] = [present, multiple].map(|bits| RoaringBitmap::from_lsb0_bytes(0, &bits));
        let filled = &self.filled | &present | &self.foreign;
        Ok([present, multiple, self.foreign.clone(), self.null.clone(), filled])
    }
}

/// Appends the bitmaps of the classes, and says where.
pub(super) fn append_classes(
    classes: [RoaringBitmap; Class::ALL.len()],
    bitmaps: &mut Vec<u8>,
) -> [ClassRecord; Class::ALL.len()] {
    classes.map(|mut class| {
        let bytes = append(&mut class, bitmaps);
        // A set of u32 below `rows` has no more of them, and less than 4 GiB when optimised.
        ClassRecord {
            rows: class.len() as u32,
            bytes,
        }
    })
}

/// Starts a section, which has to be the next one of the layout.
pub(super) fn begin(writer: &mut FrameWriter, section: u32) -> Result<()> {
    let begun = writer.begin_section()?;
    debug_assert_eq!(begun, section);
    Ok(())
}

/// Writes 0 and the sums of the lengths so far.
pub(super) fn write_starts<const N: usize>(
    writer: &mut FrameWriter,
    lengths: impl Iterator<Item = u64>,
    bytes: impl Fn(u64) -> [u8; N],
) -> Result<()> {
    let mut start = 0;
    writer.write(&bytes(start))?;
    for length in lengths {
        start += length;
        writer.write(&bytes(start))?;
    }
    Ok(())
}

/// Writes the section of numbers of values.
pub(super) fn write_counts(writer: &mut FrameWriter, counts: &[Count]) -> Result<()> {
    begin(writer, COUNTS)?;
    for count in counts {
        writer.write(&count.encode())?;
    }
    Ok(())
}

/// The details of each key, back to back, and their lengths.
fn places<K: Eq>(filed: &[Filed<K>]) -> (Vec<u64>, Vec<u8>) {
    let (mut lengths, mut all) = (Vec::new(), Vec::new());
    for group in groups(filed) {
        let mut details = Vec::new();
        for row in group.chunk_by(|(_, a, _), (_, b, _)| a == b) {
            number::push(row.len() as u64, &mut details);
            let mut last = 0;
            for (.., element) in row {
                number::push(u64::from(element - last), &mut details);
                last = *element;
            }
        }
        let marks = details::marks(&details);
        lengths.push((marks.len() + details.len()) as u64);
        all.extend(marks);
        all.extend(details);
    }
    (lengths, all)
}

/// Appends a pair unless it was the last one, as repeats within one array are.
fn push_new<T: PartialEq>(pairs: &mut Vec<T>, pair: T) {
    if pairs.last() != Some(&pair) {
        pairs.push(pair);
    }
}

/// The pairs of each key.
fn groups<K: Eq>(pairs: &[Filed<K>]) -> impl Iterator<Item = &[Filed<K>]> {
    pairs.chunk_by(|(a, ..), (b, ..)| a == b)
}

/// The number and the pairs of each key, without the pairs when the key is large.
fn small<'a, K: Eq>(
    pairs: &'a [Filed<K>],
    large: &'a [Large],
) -> impl Iterator<Item = (u32, &'a [Filed<K>])> {
    let mut large = large.iter().peekable();
    (0_u32..).zip(groups(pairs)).map(move |(key, group)| {
        let is_large = large.next_if(|entry| entry.key == key).is_some();
        (key, if is_large { &[][..] } else { group })
    })
}

/// The keys whose rows take less space as a bitmap than as a run. Their bitmaps are appended.
fn large_keys<K: Eq>(pairs: &[Filed<K>], bitmaps: &mut Vec<u8>) -> Vec<Large> {
    let mut large = Vec::new();
    let mut before = 0;
    for (key, group) in (0_u32..).zip(groups(pairs)) {
        let rows = group.iter().map(|(_, row, _)| *row);
        if let Some(entry) = large_key(key, rows, before, bitmaps) {
            before += group.len() as u64;
            large.push(entry);
        }
    }
    large
}

/// The entry of a key whose rows, in ascending order, take less space as a bitmap than as a run. The bitmap is appended.
/// `before` are the pairs of the large keys before.
pub(super) fn large_key(
    key: u32,
    rows: impl ExactSizeIterator<Item = u32>,
    before: u64,
    bitmaps: &mut Vec<u8>,
) -> Option<Large> {
    let count = rows.len();
    if count < SMALLEST_BITMAP {
        return None;
    }
    let mut rows: RoaringBitmap = rows.collect();
    rows.optimize();
    if rows.serialized_size() >= count * size_of::<u32>() {
        return None;
    }
    let start = bitmaps.len() as u64;
    let bytes = append(&mut rows, bitmaps);
    Some(Large {
        key,
        rows: count as u32,
        before,
        start,
        bytes,
    })
}
