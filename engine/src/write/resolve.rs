//! From operations to effects: conditions, filters and merges are decided here, once, under the sequencer.

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::Arc;

use vdb_storage::PointId;
use vdb_storage::payload::decode_payload;

use crate::damage::at_point;
use crate::error::{Error, Result, within};
use crate::expected::Expected;
use crate::filter::CompiledFilter;
use crate::payload::encoded;
use crate::point::Payload;
use crate::query::allowance::Allowance;
use crate::query::matching::{self, Horizon, each};
use crate::schema::Schema;
use crate::tables::{Located, StoredPoint, Tables};
use crate::write::batch::UpsertMode;
use crate::write::prepare::{Patch, PayloadEdit, Prepared, Selection};
use crate::write::record::{EFFECT_BYTES, Effect, EffectKind, Section, effect_bytes};

/// What a point is at this place in the batch.
enum Current<'a> {
    Stored(Located),
    /// Written earlier in the same batch.
    Staged(&'a StagedPoint),
}

/// A point as the batch has left it so far.
struct StagedPoint {
    version: u64,
    payload: Vec<u8>,
    vectors: StagedVectors,
}

/// The vectors of a point that the batch has touched.
#[derive(Clone)]
enum StagedVectors {
    /// An operation of the batch brought them. By schema slot.
    Brought(Arc<Vec<Option<Vec<u8>>>>),
    /// Those of the row that the batch found, where they stay until it is applied.
    Found(Located),
}

impl StagedVectors {
    fn get(&self, slot: usize) -> Result<Option<&[u8]>> {
        match self {
            StagedVectors::Brought(vectors) => Ok(vectors.get(slot).and_then(Option::as_deref)),
            StagedVectors::Found(located) => located.vector(slot),
        }
    }

    fn has(&self, slot: usize) -> bool {
        match self {
            StagedVectors::Brought(vectors) => vectors.get(slot).is_some_and(Option::is_some),
            StagedVectors::Found(located) => located.has_vector(slot),
        }
    }
}

/// What the effects of a batch may take, in the log and in memory.
pub(crate) struct Room {
    used: usize,
    most: usize,
}

impl Room {
    /// What [`Error::Limit`] says is limited here.
    pub(crate) const WHAT: &str = "bytes of the effects of one batch, with the vectors that changes of payloads copy \
                                   (split it, let its filter match fewer points, or use `Collection::apply_in_steps`)";

    pub(crate) fn new(most: usize) -> Self {
        Room { used: 0, most }
    }

    /// Refuses a batch that takes so many bytes besides what it has. Said before they fill the memory.
    fn check(&self, bytes: usize) -> Result<()> {
        within(Room::WHAT, self.most, self.used.saturating_add(bytes))
    }

    /// Counts an effect, or what it brings into memory.
    fn take(&mut self, bytes: usize) -> Result<()> {
        self.check(bytes)?;
        self.used += bytes;
        Ok(())
    }
}

impl Current<'_> {
    fn version(&self) -> u64 {
        match self {
            Current::Stored(located) => located.version(),
            Current::Staged(staged) => staged.version,
        }
    }

    fn payload(&self) -> Result<&[u8]> {
        match self {
            Current::Stored(located) => located.payload(),
            Current::Staged(staged) => Ok(&staged.payload),
        }
    }

    /// The payload, for what the write makes of it. Checked before the write is logged, and the error names the point: what
    /// fails later fails for good.
    fn sound_payload(&self, id: PointId) -> Result<&[u8]> {
        match self {
            Current::Stored(located) => located.sound_payload().map_err(|error| at_point(id, error)),
            Current::Staged(staged) => Ok(&staged.payload),
        }
    }

    /// A vector that stays with the point, checked likewise.
    fn sound_vector(&self, id: PointId, slot: usize) -> Result<Option<&[u8]>> {
        match self {
            Current::Stored(located) => located.sound_vector(slot).map_err(|error| at_point(id, error)),
            // What the batch leaves to it was checked when the batch found it.
            Current::Staged(staged) => staged.vectors.get(slot),
        }
    }

    fn has_vector(&self, slot: usize) -> bool {
        match self {
            Current::Stored(located) => located.has_vector(slot),
            Current::Staged(staged) => staged.vectors.has(slot),
        }
    }

    fn matches(
        &self,
        schema: &Schema,
        id: PointId,
        filter: &CompiledFilter,
        allowance: &Allowance<'_>,
    ) -> Result<bool> {
        let point = StoredPoint {
            schema,
            id,
            payload: self.payload()?,
            has_vector: &|slot| self.has_vector(slot),
            texts: match self {
                Current::Stored(located) => located.texts(),
                Current::Staged(_) => None,
            },
            goes_on: &|bytes| allowance.goes_on(bytes),
        };
        matching::matches(filter, &point, allowance)
    }
}

/// Resolves the operations of one batch on one collection, in order.
pub(crate) struct Resolver<'a> {
    tables: Arc<Tables>,
    /// How long points may be looked for.
    allowance: &'a Allowance<'a>,
    /// What earlier operations of the batch made of points, kept only when later ones need it; `None` where they
    /// deleted one.
    staged: HashMap<PointId, Option<StagedPoint>>,
    stages: bool,
    /// Ids that do not exist are passed over, where they would be an error.
    lenient: bool,
    /// The first of those that were.
    missing: Cell<Option<PointId>>,
}

impl<'a> Resolver<'a> {
    /// `several`: more than one entry of the batch is on this collection.
    pub(crate) fn new(tables: Arc<Tables>, several: bool, allowance: &'a Allowance<'a>) -> Self {
        Resolver {
            tables,
            allowance,
            staged: HashMap::new(),
            stages: several,
            lenient: false,
            missing: Cell::new(None),
        }
    }

    /// Whether the operations that follow are for those of their points that exist.
    pub(crate) fn set_lenient(&mut self, lenient: bool) {
        self.lenient = lenient;
    }

    /// The first id that a lenient operation passed over.
    pub(crate) fn missing(&self) -> Option<PointId> {
        self.missing.get()
    }

    fn pass_over(&self, id: PointId) -> Result<()> {
        if !self.lenient {
            return Err(Error::PointNotFound { id });
        }
        if self.missing.get().is_none() {
            self.missing.set(Some(id));
        }
        Ok(())
    }

    fn current(&self, id: PointId) -> Option<Current<'_>> {
        match self.staged.get(&id) {
            Some(staged) => staged.as_ref().map(Current::Staged),
            None => self.tables.latest(id).map(Current::Stored),
        }
    }

    /// Checks a condition of the batch.
    pub(crate) fn require(&self, id: PointId, expected: Expected) -> Result<()> {
        let found = self.current(id).map(|current| current.version());
        if expected.holds(found) {
            return Ok(());
        }
        Err(Error::Conflict { id, expected, found })
    }

    /// The effects of an operation that has the sequence number `seq`, for which there must be `room`.
    pub(crate) fn resolve(
        &mut self,
        prepared: Prepared,
        collection: u32,
        seq: u64,
        room: &mut Room,
    ) -> Result<Section> {
        let schema = self.tables.schema.clone();
        check_slots(&schema, &prepared)?;
        let mut section = match prepared {
            Prepared::Rows {
                section,
                mode,
                filter,
            } => {
                let section = self.upsert(&schema, section, mode, filter.as_ref())?;
                room.take(section.logged_bytes())?;
                section
            }
            Prepared::Delete(target) => {
                let mut out = Section::default();
                let required = false;
                for (id, _) in self.select(&schema, &target, required, room)? {
                    room.take(effect_bytes(0))?;
                    out.push(EffectKind::Delete, id, &[], [])?;
                }
                out
            }
            Prepared::Payload { edit, target } => {
                let mut out = Section::default();
                for (id, current) in self.select(&schema, &target, true, room)? {
                    self.allowance.beat()?;
                    let payload = edited(&edit, || current.sound_payload(id))?;
                    room.take(effect_bytes(0) + payload.len())?;
                    // They are copied when the record is applied, which must not fail any more.
                    for (slot, _) in schema.vectors() {
                        room.take(current.sound_vector(id, slot)?.map_or(0, <[u8]>::len))?;
                    }
                    out.push(EffectKind::Payload, id, &payload, [])?;
                }
                out
            }
            Prepared::Vectors { points, filter } => {
                self.update_vectors(&schema, &points, filter.as_deref(), room)?
            }
            Prepared::DropVectors { slots, target } => {
                let mut out = Section::default();
                for (id, current) in self.select(&schema, &target, true, room)? {
                    self.allowance.beat()?;
                    let mut kept = Vec::new();
                    for (slot, _) in schema.vectors().filter(|(slot, _)| !slots.contains(slot)) {
                        kept.extend(current.sound_vector(id, slot)?.map(|bytes| (slot, bytes)));
                    }
                    let payload = current.sound_payload(id)?;
                    room.take(put_bytes(payload, &kept))?;
                    out.push(EffectKind::Put, id, payload, kept)?;
                }
                out
            }
        };
        section.collection = collection;
        section.seq = seq;
        if self.stages {
            self.stage(&schema, &section)?;
        }
        Ok(section)
    }

    fn upsert(
        &self,
        schema: &Schema,
        section: Section,
        mode: UpsertMode,
        filter: Option<&CompiledFilter>,
    ) -> Result<Section> {
        if mode == UpsertMode::Upsert && filter.is_none() {
            return Ok(section);
        }
        let mut out = Section::default();
        section.for_each(schema, |effect| {
            self.allowance.beat()?;
            let wanted = match self.current(effect.id) {
                None => mode != UpsertMode::UpdateOnly,
                Some(_) if mode == UpsertMode::InsertOnly => false,
                Some(current) => match filter {
                    Some(filter) => current.matches(schema, effect.id, filter, self.allowance)?,
                    None => true,
                },
            };
            if wanted {
                let vectors = effect
                    .vectors
                    .iter()
                    .enumerate()
                    .filter_map(|(slot, v)| Some((slot, (*v)?)));
                out.push(effect.kind, effect.id, effect.payload, vectors)?;
            }
            Ok(())
        })?;
        Ok(out)
    }

    fn update_vectors(
        &self,
        schema: &Schema,
        points: &[(PointId, Patch)],
        filter: Option<&CompiledFilter>,
        room: &mut Room,
    ) -> Result<Section> {
        let mut out = Section::default();
        for (id, patch) in points {
            self.allowance.beat()?;
            let Some(current) = self.current(*id) else {
                self.pass_over(*id)?;
                continue;
            };
            if let Some(filter) = filter
                && !current.matches(schema, *id, filter, self.allowance)?
            {
                continue;
            }
            let mut merged = Vec::new();
            for (slot, _) in schema.vectors() {
                let new = patch.iter().find(|(s, _)| *s == slot);
                let bytes = match new {
                    Some((_, bytes)) => Some(bytes.as_slice()),
                    None => current.sound_vector(*id, slot)?,
                };
                merged.extend(bytes.map(|bytes| (slot, bytes)));
            }
            let payload = current.sound_payload(*id)?;
            room.take(put_bytes(payload, &merged))?;
            out.push(EffectKind::Put, *id, payload, merged)?;
        }
        Ok(out)
    }

    /// The points of a target, each once. With `required`, an id that does not exist is an error, unless
    /// operations are lenient.
    fn select(
        &self,
        schema: &Schema,
        target: &Selection,
        required: bool,
        room: &Room,
    ) -> Result<Vec<(PointId, Current<'_>)>> {
        match target {
            Selection::Ids(ids) => {
                let mut out = Vec::with_capacity(ids.len());
                for &id in ids {
                    match self.current(id) {
                        Some(current) => out.push((id, current)),
                        None if required => self.pass_over(id)?,
                        None => {}
                    }
                }
                Ok(out)
            }
            Selection::Among(ids, filter) => {
                let mut out = Vec::new();
                for &id in ids {
                    self.allowance.beat()?;
                    if let Some(current) = self.current(id)
                        && current.matches(schema, id, filter, self.allowance)?
                    {
                        out.push((id, current));
                    }
                }
                Ok(out)
            }
            Selection::Filter(filter) => {
                let mut out = Vec::new();
                each(
                    &self.tables,
                    Horizon::Latest,
                    Some(filter),
                    self.allowance,
                    |id, located| {
                        if !self.staged.contains_key(&id) {
                            room.check((out.len() + 1) * EFFECT_BYTES)?;
                            out.push((id, Current::Stored(located)));
                        }
                        Ok(())
                    },
                )?;
                for (&id, staged) in &self.staged {
                    self.allowance.beat()?;
                    if let Some(current) = staged.as_ref().map(Current::Staged)
                        && current.matches(schema, id, filter, self.allowance)?
                    {
                        out.push((id, current));
                    }
                }
                // Replay, and a reader of the log, should not depend on how the points were found.
                out.sort_unstable_by_key(|(id, _)| *id);
                Ok(out)
            }
        }
    }

    fn stage(&mut self, schema: &Schema, section: &Section) -> Result<()> {
        let mut changes = Vec::with_capacity(section.effects.len());
        section.for_each(schema, |effect| {
            let staged = match effect.kind {
                EffectKind::Delete => None,
                EffectKind::Put => Some(StagedPoint {
                    version: section.seq,
                    payload: effect.payload.to_vec(),
                    vectors: StagedVectors::Brought(Arc::new(
                        effect.vectors.iter().map(|v| v.map(<[u8]>::to_vec)).collect(),
                    )),
                }),
                EffectKind::Payload => {
                    let current = self
                        .current(effect.id)
                        .ok_or(Error::PointNotFound { id: effect.id })?;
                    let vectors = match current {
                        Current::Stored(located) => StagedVectors::Found(located),
                        Current::Staged(staged) => staged.vectors.clone(),
                    };
                    Some(StagedPoint {
                        version: section.seq,
                        payload: effect.payload.to_vec(),
                        vectors,
                    })
                }
            };
            changes.push((effect.id, staged));
            Ok(())
        })?;
        self.staged.extend(changes);
        Ok(())
    }
}

/// An operation is encoded before it has its place in the order: a vector that it brings may have been dropped since.
fn check_slots(schema: &Schema, prepared: &Prepared) -> Result<()> {
    let gone = |slot: &usize| schema.vector(*slot).is_none();
    let found = match prepared {
        Prepared::Rows { section, .. } => section.effects.iter().flat_map(Effect::slots).find(gone),
        Prepared::Vectors { points, .. } => {
            let slots = points
                .iter()
                .flat_map(|(_, patch)| patch.iter().map(|(slot, _)| *slot));
            slots.into_iter().find(gone)
        }
        Prepared::DropVectors { slots, .. } => slots.iter().copied().find(gone),
        Prepared::Delete(_) | Prepared::Payload { .. } => None,
    };
    match found {
        None => Ok(()),
        Some(_) => Err(Error::InvalidRequest(
            "a vector that the operation names was dropped from the collection meanwhile: nothing was written".into(),
        )),
    }
}

/// Bytes that a point with these vectors takes in a record.
fn put_bytes(payload: &[u8], vectors: &[(usize, &[u8])]) -> usize {
    let bytes: usize = vectors.iter().map(|(_, bytes)| bytes.len()).sum();
    effect_bytes(vectors.len()) + payload.len() + bytes
}

fn edited<'p>(edit: &PayloadEdit, stored: impl FnOnce() -> Result<&'p [u8]>) -> Result<Vec<u8>> {
    let decoded = || -> Result<Payload> {
        let stored = stored()?;
        if stored.is_empty() {
            Ok(Payload::new())
        } else {
            Ok(decode_payload(stored)?)
        }
    };
    match edit {
        PayloadEdit::Overwrite(bytes) => Ok(bytes.clone()),
        PayloadEdit::Set(merge) => {
            let mut map = decoded()?;
            merge.apply(&mut map)?;
            encoded(&map)
        }
        PayloadEdit::Delete(removal) => {
            let mut map = decoded()?;
            removal.apply(&mut map);
            encoded(&map)
        }
    }
}

#[cfg(test)]
mod tests;
