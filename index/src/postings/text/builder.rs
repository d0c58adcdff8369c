//! Collects the tokens of a segment and writes their index.

use std::collections::HashMap;
use std::mem;

use roaring::RoaringBitmap;
use vdb_vfs::{
    Disk,
    frame::{FrameInfo, FrameWriter},
};

use super::bigrams;
use super::list::List;
use crate::postings::builder::{append_classes, begin, large_key, write_counts, write_starts};
use crate::postings::counts::Counts;
use crate::postings::details;
use crate::postings::format::{
    BIGRAMS, BITMAPS, DETAILS, FILE, KEYS, LARGE, LENGTHS, Large, Meta, ROWS, RUNS, STARTS, TERMS, TextInfo,
};
use crate::postings::key::Kind;
use crate::{Error, Result};

/// Gathers tokens by ascending row, and writes a postings file of [`Kind::Text`].
///
/// Holds about as much memory as the file will take, every different token once included, and 4 bytes a row:
/// [`TextBuilder::bytes`] tells. While the file is written, it takes 2 bytes more for each two of the 64 most frequent tokens that
/// stand side by side in a row, which are in that number, and the bitmaps of the file.
///
/// ```
/// use vdb_index::postings::{Key, PostingsFile, TextBuilder};
/// use vdb_vfs::MemDisk;
///
/// let disk = MemDisk::new();
/// let mut builder = TextBuilder::new(0);
/// for (position, token) in (0..).zip(["old", "owl", "very", "old"]) {
///     builder.token(1, token, position);
/// }
/// builder.token(2, "owl", 0);
/// builder.finish(&disk, "text", 3)?;
///
/// let index = PostingsFile::open(&disk, "text", 3)?;
/// assert_eq!(index.equals(Key::Term("owl"))?.iter().collect::<Vec<_>>(), [1, 2]);
/// assert_eq!(index.occurrences("old")?, [(1, 2)]);
/// assert_eq!((index.text_length(1), index.text_length(2)), (4, 1));
/// # Ok::<(), vdb_index::Error>(())
/// ```
#[derive(Debug)]
pub struct TextBuilder {
    fingerprint: u32,
    /// Tokens by order of appearance.
    numbers: HashMap<Box<str>, u32>,
    token_bytes: usize,
    lists: Vec<List>,
    list_bytes: usize,
    /// The row whose tokens come in, and its tokens by number, with their positions.
    row: u32,
    current: Vec<(u32, u64)>,
    /// A row that came after a greater one.
    out_of_order: Option<u32>,
    lengths: Vec<u32>,
    tokens: u64,
    pairs: u64,
    present: RoaringBitmap,
    multiple: RoaringBitmap,
    foreign: RoaringBitmap,
    null: RoaringBitmap,
    filled: RoaringBitmap,
    counts: Counts,
}

impl TextBuilder {
    /// An empty index. `fingerprint` is kept for whoever reads it, to know what made the tokens.
    #[must_use]
    pub fn new(fingerprint: u32) -> Self {
        let none = RoaringBitmap::new();
        Self {
            fingerprint,
            numbers: HashMap::new(),
            token_bytes: 0,
            lists: Vec::new(),
            list_bytes: 0,
            row: 0,
            current: Vec::new(),
            out_of_order: None,
            lengths: Vec::new(),
            tokens: 0,
            pairs: 0,
            present: none.clone(),
            multiple: none.clone(),
            foreign: none.clone(),
            null: none.clone(),
            filled: none,
            counts: Counts::default(),
        }
    }

    /// Files one occurrence of a token. Rows come in ascending order; the positions of a row in any.
    pub fn token(&mut self, row: u32, token: &str, position: u64) {
        if row != self.row {
            self.end_row();
            if row < self.row {
                self.out_of_order = Some(row);
            }
            self.row = row;
        }
        let number = match self.numbers.get(token) {
            Some(number) => *number,
            None => {
                // More tokens than 2^32 are refused by `finish`, by their pairs.
                let number = u32::try_from(self.lists.len()).unwrap_or(u32::MAX);
                self.token_bytes += token.len();
                self.numbers.insert(token.into(), number);
                self.lists.push(List::default());
                number
            }
        };
        self.current.push((number, position));
    }

    /// Puts `row` into [`Class::Foreign`](super::super::Class::Foreign): it has a value that is no text, or one without tokens.
    pub fn foreign(&mut self, row: u32) {
        self.foreign.insert(row);
    }

    /// Puts `row` into [`Class::Null`](super::super::Class::Null).
    pub fn null(&mut self, row: u32) {
        self.null.insert(row);
    }

    /// Puts `row` into [`Class::Filled`](super::super::Class::Filled). Rows with tokens, and foreign ones, are filled without saying so.
    pub fn filled(&mut self, row: u32) {
        self.filled.insert(row);
    }

    /// What the path leads to in `row` has so many values; said of each node. It is filled where there is any.
    pub fn values(&mut self, row: u32, values: u64) {
        self.counts.add(row, values);
    }

    /// About how much memory is held, with what the bigrams take at most while the file is written.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.numbers.capacity() * (size_of::<(Box<str>, u32)>() + 1)
            + self.token_bytes
            + self.lists.capacity() * size_of::<List>()
            + self.list_bytes
            + self.lengths.capacity() * size_of::<u32>()
            + self.counts.bytes()
            + bigrams::most_bytes(self.tokens)
    }

    /// Files the tokens of the row that is complete.
    fn end_row(&mut self) {
        if self.current.is_empty() || self.out_of_order.is_some() {
            self.current.clear();
            return;
        }
        let row = self.row;
        let mut current = mem::take(&mut self.current);
        current.sort_unstable();
        let mut different = 0_u32;
        for group in current.chunk_by(|(a, _), (b, _)| a == b) {
            different += 1;
            let number = group.first().map_or(0, |(number, _)| *number);
            let Some(list) = self.lists.get_mut(number as usize) else {
                continue;
            };
            self.list_bytes += list.push(row, group.iter().map(|(_, position)| *position));
        }
        self.lengths.resize(row as usize + 1, 0);
        if let Some(length) = self.lengths.last_mut() {
            *length = u32::try_from(current.len()).unwrap_or(u32::MAX);
            self.tokens += u64::from(*length);
        }
        self.pairs += u64::from(different);
        self.present.insert(row);
        if different > 1 {
            self.multiple.insert(row);
        }
        current.clear();
        self.current = current;
    }

    /// Writes the index of a segment of `rows` rows to `path`, and syncs the file (not its directory).
    ///
    /// # Errors
    /// [`Error::BadParameter`] when a row is not below `rows` or came after a greater one, [`Error::TooManyPairs`] when one
    /// file cannot hold the pairs of token and row, and those of the disk.
    pub fn finish(mut self, disk: &dyn Disk, path: &str, rows: u32) -> Result<FrameInfo> {
        self.end_row();
        self.check(rows)?;
        let counts = mem::take(&mut self.counts);
        let mut tokens: Vec<(Box<str>, u32)> = mem::take(&mut self.numbers).into_iter().collect();
        tokens.sort_unstable();
        let empty = &List::default();
        let list_of = |number: u32| self.lists.get(number as usize).unwrap_or(empty);
        let lists = || tokens.iter().map(|(_, number)| list_of(*number));

        let mut bitmaps = Vec::new();
        let filled = &self.filled | &self.present | &self.foreign;
        let classes = [&self.present, &self.multiple, &self.foreign, &self.null, &filled];
        let classes = append_classes(classes.map(RoaringBitmap::clone), &mut bitmaps);
        let counts = counts.finish(&filled, &mut bitmaps);
        let mut large: Vec<Large> = Vec::new();
        let mut before = 0;
        for (key, list) in (0_u32..).zip(lists()) {
            if let Some(entry) = large_key(key, list.rows().into_iter(), before, &mut bitmaps) {
                before += u64::from(list.count);
                large.push(entry);
            }
        }
        let bigrams = bigrams::collect(lists(), &mut bitmaps);
        // Of a key that is large the run is empty.
        let runs = || {
            let mut large = large.iter().peekable();
            (0_u32..).zip(lists()).map(move |(key, list)| {
                let is_large = large.next_if(|entry| entry.key == key).is_some();
                if is_large { empty } else { list }
            })
        };

        let mut writer = FrameWriter::create(disk, path, FILE, &[])?;
        begin(&mut writer, KEYS)?;
        let ends = tokens.iter().map(|(token, _)| token.len() as u64);
        write_starts(&mut writer, ends, |start| start.to_le_bytes())?;
        begin(&mut writer, TERMS)?;
        for (token, _) in &tokens {
            writer.write(token.as_bytes())?;
        }
        begin(&mut writer, RUNS)?;
        // Fewer pairs than 2^32: checked.
        let lengths = runs().map(|list| u64::from(list.count));
        write_starts(&mut writer, lengths, |start| (start as u32).to_le_bytes())?;
        begin(&mut writer, ROWS)?;
        for list in runs() {
            for row in list.rows() {
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
        begin(&mut writer, STARTS)?;
        let marks: Vec<Vec<u8>> = lists().map(|list| details::marks(&list.details)).collect();
        let both = || lists().zip(&marks);
        let lengths = both().map(|(list, marks)| (marks.len() + list.details.len()) as u64);
        write_starts(&mut writer, lengths, |start| start.to_le_bytes())?;
        begin(&mut writer, DETAILS)?;
        for (list, marks) in both() {
            writer.write(marks)?;
            writer.write(&list.details)?;
        }
        begin(&mut writer, LENGTHS)?;
        let lengths = self.lengths.iter().chain(std::iter::repeat(&0));
        for length in lengths.take(rows as usize) {
            writer.write(&length.to_le_bytes())?;
        }
        begin(&mut writer, BIGRAMS)?;
        for entry in &bigrams.entries {
            writer.write(&entry.encode())?;
        }
        let meta = Meta {
            kind: Kind::Text,
            rows,
            keys: tokens.len() as u32,
            large: large.len() as u32,
            entries: self.pairs,
            classes,
            counts: counts.len() as u32,
            elements: false,
            frequent: bigrams.least_rows,
            bigrams: bigrams.entries.len() as u32,
            text: Some(TextInfo {
                fingerprint: self.fingerprint,
                tokens: self.tokens,
            }),
        };
        writer.set_meta(&meta.encode())?;
        Ok(writer.finish()?)
    }

    fn check(&self, rows: u32) -> Result<()> {
        let refused = |row: u32, range| Error::BadParameter {
            parameter: "row",
            value: u64::from(row),
            range,
        };
        if let Some(row) = self.out_of_order {
            return Err(refused(row, "ascending order"));
        }
        let greatest = [&self.present, &self.foreign, &self.null, &self.filled]
            .into_iter()
            .filter_map(RoaringBitmap::max)
            .max()
            .max(self.counts.max());
        if let Some(row) = greatest.filter(|&row| row >= rows) {
            return Err(refused(row, "0 to the number of rows of the segment"));
        }
        // One more than the keys has to be a u32 as well.
        if self.pairs >= u64::from(u32::MAX) {
            return Err(Error::TooManyPairs {
                pairs: self.pairs,
                limit: u64::from(u32::MAX - 1),
            });
        }
        Ok(())
    }
}
