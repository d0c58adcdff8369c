//! The body of a log record: the resolved effects of one atomic batch.
//!
//! Format home. Effects are values and ids, never filters or clocks, so that replay needs nothing else.
//!
//! | bytes | what |
//! |---|---|
//! | 4 | length H of the header, `u32` |
//! | H | the header, by the one codec of the project (fixed-width little-endian integers) |
//! | rest | for each section, for each effect: the payload, then each vector as stored, back to back |
//!
//! The header, of which each line is a record of the codec, so that it may be as long as the body:
//!
//! | bytes | what |
//! |---|---|
//! | 1 | version |
//! | 1 | whether unsynced records of weak durability may be lost behind this one |
//! | 8 | how many sections |
//! | 28 | a section, before its effects: collection, `u32`; sequence number, bytes of its bulk, effects, `u64` each |
//! | 33 and 6 a vector | an [`Effect`] |
//!
//! A vector is named by its number, which no other of the collection is ever given, and has its length with it: the vectors of
//! some kinds differ in length, and those that were dropped since are skipped.
//!
//! | version | change |
//! |---|---|
//! | 2 | lengths of vectors (1: they followed from the schema) |

use std::ops::Range;

use bincode::{Decode, Encode};
use vdb_storage::manifest::NUMBER_END;
use vdb_storage::{PointId, codec};

use crate::damage::RECORD;
use crate::error::{Error, Result};
use crate::limits::MAX_BATCH_BYTES;
use crate::schema::Schema;
use crate::vectors::fault;

/// Version of the body format; a log with another one is refused.
const VERSION: u8 = 2;

/// Log record kind of a batch of effects.
pub(crate) const KIND_EFFECTS: u8 = 1;

/// Collection number of a record that touches several collections.
pub(crate) const MANY: u32 = 0;

/// Bytes of an effect in the header, but for its vectors, and of each of those.
pub(crate) const EFFECT_BYTES: usize = 33;
const VECTOR_BYTES: usize = 6;

/// The header but for its sections.
type Head = (u8, bool, u64);

/// A section in the header but for its effects: collection, sequence number, bytes of its bulk, effects.
type SectionHead = (u32, u64, u64, u64);
const SECTION_BYTES: usize = 28;

/// What happens to one point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) enum EffectKind {
    /// The point becomes what the record holds.
    Put,
    /// The payload becomes what the record holds; the vectors stay.
    Payload,
    /// The point disappears.
    Delete,
}

/// One point's change; its bytes stand in the section's bulk.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Effect {
    pub(crate) kind: EffectKind,
    uuid: bool,
    id: u128,
    payload: u32,
    vectors: Vec<VectorBytes>,
}

/// How many bytes of the bulk are the vector of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct VectorBytes {
    pub(crate) slot: u16,
    pub(crate) len: u32,
}

impl VectorBytes {
    /// # Errors
    /// When the vector is longer than a record can say.
    pub(crate) fn new(slot: usize, len: usize) -> Result<Self> {
        let too_long = |_| Error::Limit {
            what: "bytes of an encoded vector",
            limit: u32::MAX as usize,
            found: len,
        };
        let len = u32::try_from(len).map_err(too_long)?;
        // A schema has no more slots than that.
        let slot = slot as u16;
        Ok(VectorBytes { slot, len })
    }
}

impl Effect {
    /// The slots of the vectors that it brings.
    pub(crate) fn slots(&self) -> impl Iterator<Item = usize> {
        self.vectors.iter().map(|vector| usize::from(vector.slot))
    }

    pub(crate) fn id(&self) -> PointId {
        if self.uuid {
            PointId::Uuid(uuid::Uuid::from_u128(self.id))
        } else {
            PointId::Num(self.id as u64)
        }
    }
}

/// The effects of one operation on one collection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Section {
    pub(crate) collection: u32,
    pub(crate) seq: u64,
    pub(crate) effects: Vec<Effect>,
    /// The bytes of the effects, back to back in pieces; those of one effect lie in one piece.
    pub(crate) bulk: Vec<Vec<u8>>,
}

/// An effect with its bytes.
pub(crate) struct EffectView<'a> {
    pub(crate) kind: EffectKind,
    pub(crate) id: PointId,
    pub(crate) payload: &'a [u8],
    /// Stored bytes by schema slot.
    pub(crate) vectors: &'a [Option<&'a [u8]>],
}

impl Section {
    /// Bytes of payloads and vectors.
    fn bytes(&self) -> usize {
        self.bulk.iter().map(Vec::len).sum()
    }

    /// Bytes that the section takes in the header of a record.
    fn header_bytes(&self) -> usize {
        let effects = self
            .effects
            .iter()
            .map(|effect| effect_bytes(effect.vectors.len()));
        SECTION_BYTES + effects.sum::<usize>()
    }

    /// Bytes that the section takes in a record.
    pub(crate) fn logged_bytes(&self) -> usize {
        self.header_bytes() + self.bytes()
    }

    /// Adds an effect. `vectors` are stored bytes by schema slot, ascending.
    ///
    /// # Errors
    /// When the payload or a vector is longer than a record can say.
    pub(crate) fn push<'v>(
        &mut self,
        kind: EffectKind,
        id: PointId,
        payload: &[u8],
        vectors: impl IntoIterator<Item = (usize, &'v [u8])>,
    ) -> Result<()> {
        if self.bulk.is_empty() {
            self.bulk.push(Vec::new());
        }
        let mut slots = Vec::new();
        if let Some(piece) = self.bulk.last_mut() {
            piece.extend_from_slice(payload);
            for (slot, bytes) in vectors {
                slots.push(VectorBytes::new(slot, bytes.len())?);
                piece.extend_from_slice(bytes);
            }
        }
        self.note(kind, id, payload.len(), slots)
    }

    /// Adds an effect whose bytes, a payload of that length and then these vectors, are in the bulk already.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub(crate) fn note(
        &mut self,
        kind: EffectKind,
        id: PointId,
        payload: usize,
        vectors: Vec<VectorBytes>,
    ) -> Result<()> {
        let payload = u32::try_from(payload).map_err(|_| Error::Limit {
            what: "bytes of an encoded payload",
            limit: u32::MAX as usize,
            found: payload,
        })?;
        let (uuid, id) = match id {
            PointId::Num(n) => (false, u128::from(n)),
            PointId::Uuid(u) => (true, u.as_u128()),
        };
        self.effects.push(Effect {
            kind,
            uuid,
            id,
            payload,
            vectors,
        });
        Ok(())
    }

    /// Calls `each` with every effect and its bytes, in order.
    ///
    /// # Errors
    /// When the section does not fit the schema: a record of another collection, or damage that the checksums missed.
    pub(crate) fn for_each(
        &self,
        schema: &Schema,
        each: impl FnMut(EffectView<'_>) -> Result<()>,
    ) -> Result<()> {
        self.walk(schema, || Err(mismatch("an unknown vector")), each)
    }

    /// As [`for_each`](Self::for_each), with a schema that may be older than the section: vectors that it does not know yet are
    /// passed over. Returns how many those were.
    ///
    /// # Errors
    /// As [`for_each`](Self::for_each).
    pub(crate) fn for_each_known(
        &self,
        schema: &Schema,
        each: impl FnMut(EffectView<'_>) -> Result<()>,
    ) -> Result<u64> {
        let mut newer = 0;
        let pass = || {
            newer += 1;
            Ok(())
        };
        self.walk(schema, pass, each)?;
        Ok(newer)
    }

    /// `unknown` is asked about each vector whose number the schema has not given yet.
    fn walk(
        &self,
        schema: &Schema,
        mut unknown: impl FnMut() -> Result<()>,
        mut each: impl FnMut(EffectView<'_>) -> Result<()>,
    ) -> Result<()> {
        let mut pieces = self.bulk.iter().filter(|piece| !piece.is_empty());
        let mut piece: &[u8] = &[];
        let mut at = 0usize;
        let mut slots: Vec<Option<&[u8]>> = vec![None; schema.slots()];
        for effect in &self.effects {
            if at == piece.len()
                && let Some(next) = pieces.next()
            {
                (piece, at) = (next, 0);
            }
            let payload = take(piece, &mut at, effect.payload as usize)?;
            slots.fill(None);
            for &VectorBytes { slot, len } in &effect.vectors {
                let bytes = take(piece, &mut at, len as usize)?;
                let Some(place) = slots.get_mut(usize::from(slot)) else {
                    unknown()?;
                    continue;
                };
                // One that was dropped since is nobody's any more.
                if let Some(vector) = schema.vector(usize::from(slot)) {
                    if let Some(fault) = fault(vector, bytes) {
                        return Err(mismatch(fault));
                    }
                    *place = Some(bytes);
                }
            }
            each(EffectView {
                kind: effect.kind,
                id: effect.id(),
                payload,
                vectors: &slots,
            })?;
        }
        if at != piece.len() || pieces.next().is_some() {
            return Err(mismatch("more bytes than its effects take"));
        }
        Ok(())
    }
}

fn take<'a>(bulk: &'a [u8], at: &mut usize, len: usize) -> Result<&'a [u8]> {
    let range: Range<usize> = *at..at
        .checked_add(len)
        .ok_or_else(|| mismatch("a length past any file"))?;
    let bytes = bulk
        .get(range.clone())
        .ok_or_else(|| mismatch("fewer bytes than its effects need"))?;
    *at = range.end;
    Ok(bytes)
}

fn mismatch(what: &str) -> Error {
    Error::Damaged {
        file: RECORD.into(),
        what: format!("a record does not fit its collection: it has {what}"),
    }
}

/// Refuses a number for an operation that [`decode`] would refuse.
pub(crate) fn check_seq(seq: u64) -> Result<()> {
    if seq < NUMBER_END {
        return Ok(());
    }
    let shown = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    Err(Error::Limit {
        what: "the number of a collection's next operation (copy its points into a new collection)",
        limit: shown(NUMBER_END - 1),
        found: shown(seq),
    })
}

/// Bytes that an effect takes in a record besides its payload and that many vectors.
pub(crate) fn effect_bytes(vectors: usize) -> usize {
    EFFECT_BYTES + VECTOR_BYTES * vectors
}

/// The header of a record, with its length before it. The sections' bulks follow it in the log, whose bound on a body is that of
/// the header, too.
pub(crate) fn encode_header(sections: &[Section], weak: bool) -> Result<Vec<u8>> {
    let expected: usize = sections.iter().map(Section::header_bytes).sum();
    if expected > MAX_BATCH_BYTES {
        return Err(vdb_wal::Error::TooLarge {
            bytes: expected as u64,
            max: vdb_wal::MAX_BODY_BYTES,
        }
        .into());
    }
    let mut out = Vec::with_capacity(expected + 16);
    out.extend_from_slice(&[0; 4]);
    let head: Head = (VERSION, weak, sections.len() as u64);
    codec::append(&head, &mut out)?;
    for s in sections {
        let head: SectionHead = (s.collection, s.seq, s.bytes() as u64, s.effects.len() as u64);
        codec::append(&head, &mut out)?;
        s.effects
            .iter()
            .try_for_each(|effect| codec::append(effect, &mut out))?;
    }
    // Shorter than the bound, which a `u32` says.
    let len = (out.len() - 4) as u32;
    out[..4].copy_from_slice(&len.to_le_bytes());
    Ok(out)
}

/// A decoded record.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) weak: bool,
    pub(crate) sections: Vec<Section>,
}

/// Reads a record's body. Never panics, whatever the bytes.
pub(crate) fn decode(body: &[u8]) -> Result<Record> {
    let mut at = 0usize;
    let len = take(body, &mut at, 4)?;
    let len = u32::from_le_bytes(len.try_into().map_err(|_| mismatch("no header"))?);
    let mut header = take(body, &mut at, len as usize)?;
    let whole = header;
    let (version, weak, count): Head = codec::take(&mut header, RECORD, 4)?;
    if version != VERSION {
        return Err(Error::Damaged {
            file: RECORD.into(),
            what: format!("record format version {version} is not supported (this build reads {VERSION})"),
        });
    }
    let offset = |rest: &[u8]| (4 + whole.len() - rest.len()) as u64;
    let mut sections = Vec::new();
    for _ in 0..count {
        let at = offset(header);
        let (collection, seq, bulk, effects): SectionHead = codec::take(&mut header, RECORD, at)?;
        if seq >= NUMBER_END {
            return Err(mismatch("an operation past any that can be"));
        }
        // What it says of their number takes no memory before they are there.
        let most = header.len() / EFFECT_BYTES;
        let mut read = Vec::with_capacity(usize::try_from(effects).map_or(most, |said| said.min(most)));
        for _ in 0..effects {
            let at = offset(header);
            read.push(codec::take(&mut header, RECORD, at)?);
        }
        sections.push((
            bulk,
            Section {
                collection,
                seq,
                effects: read,
                bulk: Vec::new(),
            },
        ));
    }
    if !header.is_empty() {
        return Err(mismatch("more bytes in its header than its effects take"));
    }
    let mut with_bulk = Vec::with_capacity(sections.len());
    for (bulk, mut section) in sections {
        let bulk = usize::try_from(bulk).map_err(|_| mismatch("a length past any file"))?;
        section.bulk = vec![take(body, &mut at, bulk)?.to_vec()];
        with_bulk.push(section);
    }
    Ok(Record {
        weak,
        sections: with_bulk,
    })
}

#[cfg(test)]
mod tests;
