//! Layout of a postings file: a frame ([`vdb_vfs::frame`]) of kind `PIDX`, version 4, all numbers little-endian.
//!
//! ```text
//! meta, 72 bytes                          sections
//!  0  1  kind of index                     0 keys     an index of numbers: i64 a key, ascending
//!  1  1  1 if elements are known, else 0              terms: u64 start of each, then their end
//!  2  2  zero
//!  4  4  rows of the segment               1 terms    bytes, back to back, ascending: UTF-8 of keywords, 16 of a UUID
//!  8  4  keys                              2 runs     u32 start of each key's run in `rows`, then their end
//! 12  4  keys whose rows are a bitmap      3 rows     u32, ascending within a run
//! 16  8  pairs of key and row              4 large    32 bytes a key whose rows are a bitmap, ascending
//! 24 40  for each class:                   5 bitmaps  roaring, portable serialisation: the classes', then those
//!        u32 rows, u32 bytes of bitmap                that `large`, `counts` and `bigrams` point to
//! 64  4  entries of `counts`               6 counts   24 bytes a number of values, ascending
//! 68  4  zero
//!
//! large entry
//!  0  4  number of the key
//!  4  4  rows
//!  8  8  pairs of key and row in the entries before
//! 16  8  start of the bitmap in its section
//! 24  4  length of the bitmap
//! 28  4  zero
//!
//! counts entry
//!  0  4  number of values that some node of the rows has: 2 and more, and 0 and 1 as `counts.rs` says
//!  4  4  rows
//!  8  8  start of the bitmap in its section
//! 16  4  length of the bitmap
//! 20  4  zero
//! ```
//! An index that knows elements has two sections more, one of texts four and a longer meta:
//!
//! ```text
//! meta, 96 bytes: the first 72 as above    sections
//! 72  4  fingerprint of what made tokens   7 starts   u64 start of each key's details, then their end
//! 76  4  rows from which on the bigrams    8 details  of every 128th row of a key but the first: u64, where its part starts
//!        of a token are kept; 0: of none              in what follows: of each row, in the order of its rows, in how many
//! 80  8  tokens of all rows together                  places it is, the first one, and what each next one is more than the
//! 88  4  entries of `bigrams`                         one before. LEB128. Places are positions of a token, or elements
//! 92  4  zero                              9 lengths  u32 tokens of each row
//!                                         10 bigrams  24 bytes for each two tokens that stand side by side in some row and of
//!                                                     which all bigrams are kept, by the first key, then the second
//!
//! bigrams entry
//!  0  4  number of the key that comes first
//!  4  4  number of the key that comes second
//!  8  8  start of the bitmap of their rows in its section
//! 16  4  rows
//! 20  4  length of the bitmap
//! ```
//! A key with a bitmap has an empty run. Keywords, UUIDs and tokens are terms. Integers and datetimes are their own keys, false and
//! true are 0 and 1, a float is its bits with those below the sign inverted when the sign is set, which orders as the
//! floats do, and a position is the number of its cell with the highest bit inverted.

use vdb_vfs::frame::FileKind;

use super::key::Kind;

pub(super) const FILE: FileKind = FileKind {
    magic: *b"PIDX",
    name: "payload index",
    version: 4,
};

pub(super) const KEYS: u32 = 0;
pub(super) const TERMS: u32 = 1;
pub(super) const RUNS: u32 = 2;
pub(super) const ROWS: u32 = 3;
pub(super) const LARGE: u32 = 4;
pub(super) const BITMAPS: u32 = 5;
pub(super) const COUNTS: u32 = 6;
const SECTIONS: u32 = 7;
pub(super) const STARTS: u32 = 7;
pub(super) const DETAILS: u32 = 8;
const ELEMENT_SECTIONS: u32 = 9;
pub(super) const LENGTHS: u32 = 9;
pub(super) const BIGRAMS: u32 = 10;
const TEXT_SECTIONS: u32 = 11;

pub(super) const META_LEN: usize = COUNTS_AT + 8;
pub(super) const LARGE_LEN: usize = 32;
pub(super) const COUNT_LEN: usize = 24;
pub(super) const BIGRAM_LEN: usize = 24;

const ELEMENTS_AT: usize = 1;
const ROWS_AT: usize = 4;
const KEYS_AT: usize = ROWS_AT + 4;
const LARGE_AT: usize = KEYS_AT + 4;
const ENTRIES_AT: usize = LARGE_AT + 4;
const CLASSES_AT: usize = ENTRIES_AT + 8;
const COUNTS_AT: usize = CLASSES_AT + 8 * Class::ALL.len();
const FINGERPRINT_AT: usize = META_LEN;
const FREQUENT_AT: usize = FINGERPRINT_AT + 4;
const TOKENS_AT: usize = FREQUENT_AT + 4;
const BIGRAMS_AT: usize = TOKENS_AT + 8;
const TEXT_META_LEN: usize = BIGRAMS_AT + 8;
const _: () = assert!(META_LEN == 72 && TEXT_META_LEN == 96);

/// A set of rows that an index keeps beside its keys. "Value" is meant as filters mean it: what the path leads to,
/// with an array replaced by its elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Rows with some value that is in the index.
    Present,
    /// Rows with two or more different values in the index.
    Multiple,
    /// Rows with some value that is neither null nor in the index.
    Foreign,
    /// Rows with some value that is null.
    Null,
    /// Rows at which the path leads to something other than null and the empty array.
    Filled,
}

impl Class {
    pub(super) const ALL: [Self; 5] = [
        Self::Present,
        Self::Multiple,
        Self::Foreign,
        Self::Null,
        Self::Filled,
    ];

    pub(super) fn number(self) -> usize {
        match self {
            Self::Present => 0,
            Self::Multiple => 1,
            Self::Foreign => 2,
            Self::Null => 3,
            Self::Filled => 4,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Meta {
    pub(super) kind: Kind,
    pub(super) rows: u32,
    pub(super) keys: u32,
    pub(super) large: u32,
    pub(super) entries: u64,
    pub(super) classes: [ClassRecord; Class::ALL.len()],
    /// Entries of `counts`.
    pub(super) counts: u32,
    /// Whether it knows in which elements values are.
    pub(super) elements: bool,
    /// Rows from which on the bigrams of a token are kept; 0 where none are.
    pub(super) frequent: u32,
    /// Entries of `bigrams`.
    pub(super) bigrams: u32,
    /// There if the kind is [`Kind::Text`].
    pub(super) text: Option<TextInfo>,
}

/// What an index of texts says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextInfo {
    /// What its builder was given to tell apart indexes whose tokens were made otherwise.
    pub fingerprint: u32,
    /// Tokens of all rows together, each as often as it is there.
    pub tokens: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct ClassRecord {
    pub(super) rows: u32,
    pub(super) bytes: u32,
}

impl Meta {
    /// How many sections a file with this meta has.
    pub(super) fn sections_of(bytes: &[u8]) -> Result<u32, (usize, String)> {
        let knows_elements = bytes.get(ELEMENTS_AT).is_some_and(|&flag| flag != 0);
        Ok(if Self::kind_of(bytes)? == Kind::Text {
            TEXT_SECTIONS
        } else if knows_elements {
            ELEMENT_SECTIONS
        } else {
            SECTIONS
        })
    }

    /// Whether a section of starts of details, of this length, fits this meta; or what does not, and where.
    pub(super) fn check_starts(&self, starts_len: u64) -> Result<(), (usize, String)> {
        if starts_len != (u64::from(self.keys) + 1) * 8 {
            let what = format!("{} keys do not fit a section of {starts_len} bytes", self.keys);
            return Err((KEYS_AT, what));
        }
        Ok(())
    }

    /// As [`check_starts`](Self::check_starts), of the lengths of texts.
    pub(super) fn check_lengths(&self, lengths_len: u64) -> Result<(), (usize, String)> {
        if lengths_len != u64::from(self.rows) * 4 {
            let what = format!("{} rows do not fit a section of {lengths_len} bytes", self.rows);
            return Err((ROWS_AT, what));
        }
        Ok(())
    }

    /// As [`check_starts`](Self::check_starts), of the entries of bigrams.
    pub(super) fn check_bigrams(&self, bigrams_len: u64) -> Result<(), (usize, String)> {
        if bigrams_len != u64::from(self.bigrams) * BIGRAM_LEN as u64 {
            let what = format!(
                "{} bigrams do not fit a section of {bigrams_len} bytes",
                self.bigrams
            );
            return Err((BIGRAMS_AT, what));
        }
        Ok(())
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = vec![
            0;
            if self.text.is_some() {
                TEXT_META_LEN
            } else {
                META_LEN
            }
        ];
        let mut put = |at: usize, bytes: &[u8]| out[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, &[self.kind.code()]);
        put(ELEMENTS_AT, &[u8::from(self.elements)]);
        put(ROWS_AT, &self.rows.to_le_bytes());
        put(KEYS_AT, &self.keys.to_le_bytes());
        put(LARGE_AT, &self.large.to_le_bytes());
        put(ENTRIES_AT, &self.entries.to_le_bytes());
        for (number, class) in self.classes.iter().enumerate() {
            put(CLASSES_AT + 8 * number, &class.rows.to_le_bytes());
            put(CLASSES_AT + 8 * number + 4, &class.bytes.to_le_bytes());
        }
        put(COUNTS_AT, &self.counts.to_le_bytes());
        if let Some(text) = self.text {
            put(FINGERPRINT_AT, &text.fingerprint.to_le_bytes());
            put(FREQUENT_AT, &self.frequent.to_le_bytes());
            put(TOKENS_AT, &text.tokens.to_le_bytes());
            put(BIGRAMS_AT, &self.bigrams.to_le_bytes());
        }
        out
    }

    /// The kind that a meta names, on which its length depends.
    fn kind_of(bytes: &[u8]) -> Result<Kind, (usize, String)> {
        let code = bytes.first().copied();
        code.and_then(Kind::from_code).ok_or_else(|| match code {
            Some(code) => (0, format!("kind of index is {code}, expected 0 to 7")),
            None => (0, "meta has no bytes".to_owned()),
        })
    }

    /// Reads a meta of sections with these lengths, or says what it should have said and where.
    pub(super) fn decode(bytes: &[u8], lengths: [u64; SECTIONS as usize]) -> Result<Self, (usize, String)> {
        let kind = Self::kind_of(bytes)?;
        let expected = if kind == Kind::Text {
            TEXT_META_LEN
        } else {
            META_LEN
        };
        if bytes.len() != expected {
            return Err((0, format!("meta has {} bytes, expected {expected}", bytes.len())));
        }
        let mut classes = [ClassRecord::default(); Class::ALL.len()];
        for (number, class) in classes.iter_mut().enumerate() {
            let at = CLASSES_AT + 8 * number;
            *class = ClassRecord {
                rows: u32_at(bytes, at),
                bytes: u32_at(bytes, at + 4),
            };
        }
        let of_texts = |at| if kind == Kind::Text { u32_at(bytes, at) } else { 0 };
        let meta = Self {
            kind,
            rows: u32_at(bytes, ROWS_AT),
            keys: u32_at(bytes, KEYS_AT),
            large: u32_at(bytes, LARGE_AT),
            entries: u64_at(bytes, ENTRIES_AT),
            classes,
            counts: u32_at(bytes, COUNTS_AT),
            elements: kind != Kind::Text && bytes.get(ELEMENTS_AT).is_some_and(|&flag| flag != 0),
            frequent: of_texts(FREQUENT_AT),
            bigrams: of_texts(BIGRAMS_AT),
            text: (kind == Kind::Text).then(|| TextInfo {
                fingerprint: u32_at(bytes, FINGERPRINT_AT),
                tokens: u64_at(bytes, TOKENS_AT),
            }),
        };
        let Meta {
            rows,
            keys,
            large,
            counts,
            ..
        } = meta;
        let starts = u64::from(keys) + 1;
        let [
            keys_len,
            _,
            runs_len,
            rows_len,
            large_len,
            bitmaps_len,
            counts_len,
        ] = lengths;
        let key_count = if kind.has_terms() { starts } else { u64::from(keys) };
        if keys_len != key_count * 8 || runs_len != starts * 4 {
            return Err((
                KEYS_AT,
                format!("{keys} keys do not fit sections of {keys_len} and {runs_len} bytes"),
            ));
        }
        if large_len != u64::from(large) * LARGE_LEN as u64 {
            return Err((
                LARGE_AT,
                format!("{large} large keys do not fit a section of {large_len} bytes"),
            ));
        }
        if counts_len != u64::from(counts) * COUNT_LEN as u64 {
            return Err((
                COUNTS_AT,
                format!("{counts} numbers of values do not fit a section of {counts_len} bytes"),
            ));
        }
        if rows_len % 4 != 0 {
            return Err((
                ROWS_AT,
                format!("section of rows has {rows_len} bytes, expected a multiple of 4"),
            ));
        }
        if let Some(class) = meta.classes.iter().find(|class| class.rows > rows) {
            return Err((
                CLASSES_AT,
                format!("a class has {} rows of a segment of {rows}", class.rows),
            ));
        }
        let bitmaps: u64 = meta.classes.iter().map(|class| u64::from(class.bytes)).sum();
        if bitmaps > bitmaps_len {
            return Err((
                CLASSES_AT,
                format!("bitmaps of {bitmaps} bytes in a section of {bitmaps_len}"),
            ));
        }
        Ok(meta)
    }
}

/// A key whose rows are a bitmap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Large {
    pub(super) key: u32,
    pub(super) rows: u32,
    pub(super) before: u64,
    pub(super) start: u64,
    pub(super) bytes: u32,
}

impl Large {
    pub(super) fn encode(&self) -> [u8; LARGE_LEN] {
        let mut out = [0; LARGE_LEN];
        out[..4].copy_from_slice(&self.key.to_le_bytes());
        out[4..8].copy_from_slice(&self.rows.to_le_bytes());
        out[8..16].copy_from_slice(&self.before.to_le_bytes());
        out[16..24].copy_from_slice(&self.start.to_le_bytes());
        out[24..28].copy_from_slice(&self.bytes.to_le_bytes());
        out
    }

    pub(super) fn decode(bytes: &[u8; LARGE_LEN]) -> Self {
        Self {
            key: u32_at(bytes, 0),
            rows: u32_at(bytes, 4),
            before: u64_at(bytes, 8),
            start: u64_at(bytes, 16),
            bytes: u32_at(bytes, 24),
        }
    }
}

/// Rows of which some node has so many values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) values: u32,
    pub(super) rows: u32,
    pub(super) start: u64,
    pub(super) bytes: u32,
}

impl Count {
    pub(super) fn encode(&self) -> [u8; COUNT_LEN] {
        let mut out = [0; COUNT_LEN];
        out[..4].copy_from_slice(&self.values.to_le_bytes());
        out[4..8].copy_from_slice(&self.rows.to_le_bytes());
        out[8..16].copy_from_slice(&self.start.to_le_bytes());
        out[16..20].copy_from_slice(&self.bytes.to_le_bytes());
        out
    }

    pub(super) fn decode(bytes: &[u8; COUNT_LEN]) -> Self {
        Self {
            values: u32_at(bytes, 0),
            rows: u32_at(bytes, 4),
            start: u64_at(bytes, 8),
            bytes: u32_at(bytes, 16),
        }
    }
}

/// The rows in which two tokens stand side by side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bigram {
    pub(super) first: u32,
    pub(super) second: u32,
    pub(super) start: u64,
    pub(super) rows: u32,
    pub(super) bytes: u32,
}

impl Bigram {
    pub(super) fn encode(&self) -> [u8; BIGRAM_LEN] {
        let mut out = [0; BIGRAM_LEN];
        out[..4].copy_from_slice(&self.first.to_le_bytes());
        out[4..8].copy_from_slice(&self.second.to_le_bytes());
        out[8..16].copy_from_slice(&self.start.to_le_bytes());
        out[16..20].copy_from_slice(&self.rows.to_le_bytes());
        out[20..].copy_from_slice(&self.bytes.to_le_bytes());
        out
    }

    pub(super) fn decode(bytes: &[u8; BIGRAM_LEN]) -> Self {
        Self {
            first: u32_at(bytes, 0),
            second: u32_at(bytes, 4),
            start: u64_at(bytes, 8),
            rows: u32_at(bytes, 16),
            bytes: u32_at(bytes, 20),
        }
    }
}

/// The number at `at`, or 0 beyond the end: callers have checked where it matters.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let found = bytes.get(at..).and_then(<[u8]>::first_chunk);
    u32::from_le_bytes(found.copied().unwrap_or_default())
}

/// As [`u32_at`].
pub(super) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let found = bytes.get(at..).and_then(<[u8]>::first_chunk);
    u64::from_le_bytes(found.copied().unwrap_or_default())
}
