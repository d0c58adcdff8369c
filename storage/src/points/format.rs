//! Layout of a points file: a frame of kind `PNTS`.
//!
//! | section | holds |
//! |---|---|
//! | 0 | ids that are numbers, ascending: `u64` each |
//! | 1 | ids that are UUIDs, ascending: 16 bytes each |
//! | 2 | versions, by row: `u64` each |
//! | 3 | hash table: `u32` slots |
//!
//! Meta is a [`Meta`]. Rows count through section 0 and then section 1.
//!
//! | version | since | change |
//! |---|---|---|
//! | 3 | 0.1 | the schema has sparse vectors, multivectors, settings as an object, how texts become tokens, by which field points end, and a count of its changes (2: none; 1: no options of payload indexes either) |
//!
//! # The table
//! Open addressing with linear probing at a load of at most 3/5. The high bits of an id's hash choose the slot
//! where its search begins (Lemire, "Fast random integer generation in an interval", 2019, section 4), so the
//! table may have any length. A slot is [`EMPTY`] or holds a row in its low bits and, in the bits that rows of
//! this file do not need, the low bits of the hash. Comparing those first spares nearly every look at an id
//! that is not the one wanted: with 2^24 rows all but one in 256.

use std::ops::RangeInclusive;

use bincode::{Decode, Encode};
use vdb_vfs::frame::FileKind;

use crate::PointId;
use crate::schema::SchemaRecord;

pub(super) const KIND: FileKind = FileKind {
    magic: *b"PNTS",
    name: "points",
    version: 3,
};
pub(super) const VERSIONS: RangeInclusive<u16> = 3..=3;

pub(super) const NUMBERS: u32 = 0;
pub(super) const UUIDS: u32 = 1;
pub(super) const ROW_VERSIONS: u32 = 2;
pub(super) const TABLE: u32 = 3;

/// A slot without a row. No row looks like it: see [`row_bits`].
pub(super) const EMPTY: u32 = u32::MAX;

/// Where a segment belongs and what it covers: enough to list it in a manifest again when that is lost.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct SegmentIdentity {
    /// The collection it was written for.
    pub collection_id: u32,
    /// Its id there.
    pub segment_id: u64,
    /// The first operation whose effects may be in it.
    pub min_seq: u64,
    /// The last operation whose effects may be in it.
    pub max_seq: u64,
    /// The schema under which it was written.
    pub schema: SchemaRecord,
}

/// What a points file says about itself.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(super) struct Meta {
    pub(super) identity: SegmentIdentity,
    /// Ids in section 0.
    pub(super) numbers: u32,
    /// Ids in section 1.
    pub(super) uuids: u32,
    /// What the hash starts from.
    pub(super) seed: u64,
    /// How many slots behind the first one a search may have to look at.
    pub(super) max_probe: u32,
}

/// The hash of an id.
pub(super) fn hash(id: PointId, seed: u64) -> u64 {
    match id {
        PointId::Num(number) => mix(number ^ seed),
        PointId::Uuid(uuid) => {
            let bits = uuid.as_u128();
            mix(mix(bits as u64 ^ !seed) ^ (bits >> 64) as u64)
        }
    }
}

/// The finalizer of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014, figure 16): every bit of the input changes
/// every bit of the result with probability near one half.
pub(super) fn mix(bits: u64) -> u64 {
    let bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

/// How many slots the table of that many rows has.
pub(super) fn slot_count(rows: u32) -> u64 {
    u64::from(rows) * 5 / 3 + 1
}

/// The slot where the search for a hash begins.
pub(super) fn home(hash: u64, slots: u64) -> u64 {
    ((u128::from(hash) * u128::from(slots)) >> 64) as u64
}

/// The bits of a slot that rows need, such that no row has all of them set.
pub(super) fn row_bits(rows: u32) -> u32 {
    u32::BITS - rows.leading_zeros()
}

/// The slot of a row whose id has this hash.
pub(super) fn slot(row: u32, hash: u64, row_bits: u32) -> u32 {
    // Shifted in 64 bits, because all 32 may belong to the row.
    (hash << row_bits) as u32 | row
}

/// The row in a slot if its bits of the hash are those of `hash`.
pub(super) fn row_in(slot: u32, hash: u64, row_bits: u32) -> Option<u32> {
    let row = (u64::from(slot) & ((1 << row_bits) - 1)) as u32;
    (self::slot(row, hash, row_bits) == slot).then_some(row)
}
