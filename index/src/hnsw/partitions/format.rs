//! Layout of a file of partitions: a frame ([`vdb_vfs::frame`]) of kind `PART`, version 1, all numbers little-endian.
//!
//! ```text
//! meta, 40 bytes                                 sections
//!  0  4  rows of the graph of all                 0 links        for each row of each partition, 2 m u32: places
//!  4  2  m: half of the links a node at level 0   1 rows         u32 a row of each partition, ascending within it
//!  6  2  width of the beam that found neighbours  2 upper rows   u32 a node of the lowest upper level: its place
//!  8  2  the same of the second pass; 0 without   3 upper sizes  u32 a level, the sparsest first: its nodes
//! 10  1  what codes were asked for                4 upper links  for each level, nodes x m u32: places in section 2
//! 11  1  zero                                     5 partitions   40 bytes each
//! 12  4  f32 slack of the pruning                 6 values       16 bytes each, in the order of their labels' bytes
//! 16  8  seed                                     7 labels       bytes, back to back
//! 24  8  rows of all partitions together          8 covered      u16 each, ascending: what was looked through for values
//! 32  4  partitions
//! 36  4  values
//!
//! partition                                      value
//!  0  8  first row, in section 1                   0  8  start of its label, in section 7
//!  8  8  first u32 of section 4                    8  4  length of its label
//! 16  4  rows                                     12  4  number of its partition
//! 20  4  first u32 of section 2
//! 24  4  u32 of section 2
//! 28  4  first u32 of section 3
//! 32  4  levels: u32 of section 3
//! 36  4  1 if its rows keep together in the graph of all, else 0
//! ```
//! A label is whatever the caller knows a value by. Several values may share a partition. The links of a partition lie in
//! section 0 as its rows do in section 1; those of its upper levels are as many as their sizes say.
//!
//! Opening checks that meta and the lengths of sections agree; a partition is bounded, and its rows are looked at, when it is
//! first used. Links are data: whoever follows one bounds it.

use vdb_vfs::frame::FileKind;

use crate::hnsw::params::{HnswParams, MAX_ROWS};
use crate::quant::Quantization;

pub(super) const FILE: FileKind = FileKind {
    magic: *b"PART",
    name: "graphs of payload values",
    version: 1,
};

pub(super) const LINKS: u32 = 0;
pub(super) const ROWS: u32 = 1;
pub(super) const UPPER_ROWS: u32 = 2;
pub(super) const UPPER_SIZES: u32 = 3;
pub(super) const UPPER_LINKS: u32 = 4;
pub(super) const PARTITIONS: u32 = 5;
pub(super) const VALUES: u32 = 6;
pub(super) const LABELS: u32 = 7;
pub(super) const COVERED: u32 = 8;
pub(super) const SECTIONS: usize = 9;

pub(super) const ENTRY_LEN: usize = 40;
pub(super) const VALUE_LEN: usize = 16;

const M_AT: usize = 4;
const EF_CONSTRUCT_AT: usize = M_AT + 2;
const EF_REFINE_AT: usize = EF_CONSTRUCT_AT + 2;
const CHOICE_AT: usize = EF_REFINE_AT + 2;
const ZERO_AT: usize = CHOICE_AT + 1;
const ALPHA_AT: usize = ZERO_AT + 1;
const SEED_AT: usize = ALPHA_AT + 4;
const TOTAL_AT: usize = SEED_AT + 8;
const PARTITIONS_AT: usize = TOTAL_AT + 8;
const VALUES_AT: usize = PARTITIONS_AT + 4;
const META_LEN: usize = VALUES_AT + 4;
const _: () = assert!(META_LEN == 40);

/// What the file says of itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Meta {
    /// Rows of the graph of all.
    pub(super) rows: u32,
    /// What partitions were built with.
    pub(super) params: HnswParams,
    /// Rows of all partitions together.
    pub(super) total: u64,
    pub(super) partitions: u32,
    pub(super) values: u32,
}

impl Meta {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(META_LEN);
        out.extend_from_slice(&self.rows.to_le_bytes());
        out.extend_from_slice(&self.params.m.to_le_bytes());
        out.extend_from_slice(&self.params.ef_construct.to_le_bytes());
        out.extend_from_slice(&self.params.ef_refine.to_le_bytes());
        out.extend_from_slice(&[self.params.quantization.code(), 0]);
        out.extend_from_slice(&self.params.alpha.to_le_bytes());
        out.extend_from_slice(&self.params.seed.to_le_bytes());
        out.extend_from_slice(&self.total.to_le_bytes());
        out.extend_from_slice(&self.partitions.to_le_bytes());
        out.extend_from_slice(&self.values.to_le_bytes());
        out
    }

    /// Decodes and bounds every number by the lengths of the sections; the error says where in meta, and what.
    pub(super) fn decode(bytes: &[u8], lengths: [u64; SECTIONS]) -> Result<Self, (usize, String)> {
        let Ok(bytes) = <&[u8; META_LEN]>::try_from(bytes) else {
            return Err((0, format!("meta of {} bytes, expected {META_LEN}", bytes.len())));
        };
        let rows = u32_at(bytes, 0);
        if rows == 0 || rows > MAX_ROWS {
            return Err((0, format!("{rows} rows, 1 to {MAX_ROWS} expected")));
        }
        let Some(quantization) = Quantization::from_code(bytes[CHOICE_AT]) else {
            return Err((CHOICE_AT, format!("codes of the kind {}", bytes[CHOICE_AT])));
        };
        if bytes[ZERO_AT] != 0 {
            return Err((ZERO_AT, "a reserved byte is not zero".to_owned()));
        }
        let half = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
        let params = HnswParams {
            m: half(M_AT),
            ef_construct: half(EF_CONSTRUCT_AT),
            ef_refine: half(EF_REFINE_AT),
            alpha: f32::from_bits(u32_at(bytes, ALPHA_AT)),
            seed: u64_at(bytes, SEED_AT),
            quantization,
        };
        if let Err(error) = params.validate() {
            return Err((M_AT, format!("no graph is built with that: {error}")));
        }
        let meta = Self {
            rows,
            params,
            total: u64_at(bytes, TOTAL_AT),
            partitions: u32_at(bytes, PARTITIONS_AT),
            values: u32_at(bytes, VALUES_AT),
        };
        let times = |count: u64, len: usize| count.checked_mul(len as u64);
        let expected = [
            (LINKS, times(meta.total, 4 * params.degree()), TOTAL_AT),
            (ROWS, times(meta.total, 4), TOTAL_AT),
            (
                PARTITIONS,
                times(meta.partitions.into(), ENTRY_LEN),
                PARTITIONS_AT,
            ),
            (VALUES, times(meta.values.into(), VALUE_LEN), VALUES_AT),
        ];
        for (section, wanted, at) in expected {
            let found = lengths[section as usize];
            if wanted != Some(found) {
                return Err((at, format!("section {section} of {found} bytes does not fit")));
            }
        }
        let whole = [(UPPER_ROWS, 4), (UPPER_SIZES, 4), (UPPER_LINKS, 4), (COVERED, 2)];
        if let Some((section, size)) = whole
            .into_iter()
            .find(|&(section, size)| !lengths[section as usize].is_multiple_of(size))
        {
            return Err((
                0,
                format!("section {section} is not a whole number of {size} bytes"),
            ));
        }
        Ok(meta)
    }
}

/// Where the parts of a partition begin, in numbers of its sections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) first_row: u64,
    pub(super) first_upper_link: u64,
    pub(super) rows: u32,
    pub(super) first_upper_row: u32,
    pub(super) upper_rows: u32,
    pub(super) first_size: u32,
    pub(super) levels: u32,
    pub(super) follows: u32,
}

impl Entry {
    pub(super) fn encode(&self) -> [u8; ENTRY_LEN] {
        let mut out = [0; ENTRY_LEN];
        out[..8].copy_from_slice(&self.first_row.to_le_bytes());
        out[8..16].copy_from_slice(&self.first_upper_link.to_le_bytes());
        out[16..20].copy_from_slice(&self.rows.to_le_bytes());
        out[20..24].copy_from_slice(&self.first_upper_row.to_le_bytes());
        out[24..28].copy_from_slice(&self.upper_rows.to_le_bytes());
        out[28..32].copy_from_slice(&self.first_size.to_le_bytes());
        out[32..36].copy_from_slice(&self.levels.to_le_bytes());
        out[36..].copy_from_slice(&self.follows.to_le_bytes());
        out
    }

    pub(super) fn decode(bytes: &[u8; ENTRY_LEN]) -> Self {
        Self {
            first_row: u64_at(bytes, 0),
            first_upper_link: u64_at(bytes, 8),
            rows: u32_at(bytes, 16),
            first_upper_row: u32_at(bytes, 20),
            upper_rows: u32_at(bytes, 24),
            first_size: u32_at(bytes, 28),
            levels: u32_at(bytes, 32),
            follows: u32_at(bytes, 36),
        }
    }
}

/// Where the label of a value lies, and which partition is its.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Value {
    pub(super) start: u64,
    pub(super) len: u32,
    pub(super) partition: u32,
}

impl Value {
    pub(super) fn encode(&self) -> [u8; VALUE_LEN] {
        let mut out = [0; VALUE_LEN];
        out[..8].copy_from_slice(&self.start.to_le_bytes());
        out[8..12].copy_from_slice(&self.len.to_le_bytes());
        out[12..].copy_from_slice(&self.partition.to_le_bytes());
        out
    }

    pub(super) fn decode(bytes: &[u8; VALUE_LEN]) -> Self {
        Self {
            start: u64_at(bytes, 0),
            len: u32_at(bytes, 8),
            partition: u32_at(bytes, 12),
        }
    }
}

/// The number at a place that the caller has bounded; 0 beyond the end.
fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let word = bytes.get(at..).and_then(<[u8]>::first_chunk);
    word.map_or(0, |word| u32::from_le_bytes(*word))
}

/// As [`u32_at`].
fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let word = bytes.get(at..).and_then(<[u8]>::first_chunk);
    word.map_or(0, |word| u64::from_le_bytes(*word))
}
