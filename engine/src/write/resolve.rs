//! From operations to effects: conditions, filters and merges are decided here, once, under the sequencer.

use std::collections::HashMap;
use std::sync::Arc;

use vdb_storage::PointId;
use vdb_storage::payload::{decode_payload, encode_payload as encode_object};

use crate::error::{Error, Result};
use crate::filter::{CompiledFilter, PayloadPath};
use crate::limits::MAX_BATCH_POINTS;
use crate::point::{Payload, Point, Vectors};
use crate::query::matching::{Horizon, each};
use crate::schema::Schema;
use crate::tables::{Located, StoredPoint, Tables};
use crate::vectors;
use crate::write::batch::{Expected, Operation, Target, UpsertMode};
use crate::write::record::{EffectKind, Section};

/// An operation with everything checked and encoded that does not depend on what is stored.
pub(crate) enum Prepared {
    Rows {
        section: Section,
        mode: UpsertMode,
        filter: Option<CompiledFilter>,
    },
    Delete(Selection),
    Payload {
        edit: PayloadEdit,
        target: Selection,
    },
    Vectors {
        points: Vec<(PointId, Patch)>,
        filter: Option<CompiledFilter>,
    },
    DropVectors {
        slots: Vec<usize>,
        target: Selection,
    },
}

/// Stored bytes by schema slot, for the slots that change.
type Patch = Vec<(usize, Vec<u8>)>;

/// A target, ready to be looked up.
pub(crate) enum Selection {
    Ids(Vec<PointId>),
    Filter(CompiledFilter),
}

pub(crate) enum PayloadEdit {
    Set {
        payload: Payload,
        key: Option<PayloadPath>,
    },
    Overwrite(Vec<u8>),
    Delete(Vec<PayloadPath>),
}

/// Checks and encodes an operation. Runs outside the sequencer, so that writers do this in parallel.
pub(crate) fn prepare(schema: &Schema, operation: Operation) -> Result<Prepared> {
    Ok(match operation {
        Operation::Upsert {
            points,
            mode,
            update_filter,
        } => Prepared::Rows {
            section: rows(schema, points)?,
            mode,
            filter: update_filter.as_ref().map(CompiledFilter::new).transpose()?,
        },
        Operation::Delete { target } => Prepared::Delete(selection(target)?),
        Operation::SetPayload { payload, target, key } => Prepared::Payload {
            edit: PayloadEdit::Set {
                payload,
                key: key.as_deref().map(PayloadPath::parse).transpose()?,
            },
            target: selection(target)?,
        },
        Operation::OverwritePayload { payload, target } => Prepared::Payload {
            edit: PayloadEdit::Overwrite(encode_payload(&payload)?),
            target: selection(target)?,
        },
        Operation::DeletePayload { keys, target } => Prepared::Payload {
            edit: PayloadEdit::Delete(
                keys.iter()
                    .map(|k| PayloadPath::parse(k))
                    .collect::<std::result::Result<_, _>>()?,
            ),
            target: selection(target)?,
        },
        Operation::ClearPayload { target } => Prepared::Payload {
            edit: PayloadEdit::Overwrite(Vec::new()),
            target: selection(target)?,
        },
        Operation::UpdateVectors {
            points,
            update_filter,
        } => Prepared::Vectors {
            points: patches(schema, points)?,
            filter: update_filter.as_ref().map(CompiledFilter::new).transpose()?,
        },
        Operation::DeleteVectors { names, target } => {
            let slots = names.iter().map(|n| schema.require(n)).collect::<Result<_>>()?;
            Prepared::DropVectors {
                slots,
                target: selection(target)?,
            }
        }
    })
}

fn selection(target: Target) -> Result<Selection> {
    Ok(match target {
        Target::Ids(ids) => {
            check_count(ids.len())?;
            Selection::Ids(ids)
        }
        Target::Filter(filter) => Selection::Filter(CompiledFilter::new(&filter)?),
    })
}

fn check_count(found: usize) -> Result<()> {
    if found > MAX_BATCH_POINTS {
        return Err(Error::Limit {
            what: "points in one operation",
            limit: MAX_BATCH_POINTS,
            found,
        });
    }
    Ok(())
}

fn encode_payload(payload: &Payload) -> Result<Vec<u8>> {
    if payload.is_empty() {
        Ok(Vec::new())
    } else {
        Ok(encode_object(payload)?)
    }
}

/// Encodes whole points; of several with one id only the last is kept.
fn rows(schema: &Schema, points: Vec<Point>) -> Result<Section> {
    check_count(points.len())?;
    let mut last = HashMap::with_capacity(points.len());
    for (i, point) in points.iter().enumerate() {
        last.insert(point.id, i);
    }
    let mut section = Section::default();
    let row_bytes: usize = schema.vectors.iter().map(|v| v.params.row_bytes()).sum();
    section.bulk.reserve(points.len().saturating_mul(row_bytes));
    section.effects.reserve(points.len());
    for (i, point) in points.iter().enumerate() {
        let place = || format!("point {}: ", point.id);
        let start = section.bulk.len();
        section.bulk.extend_from_slice(&encode_payload(&point.payload)?);
        let payload = section.bulk.len() - start;
        // Names come in their own order, sections hold slots in the schema's.
        let mut slots = Vec::with_capacity(point.vectors.0.len());
        for (slot, vector) in schema.vectors.iter().enumerate() {
            if let Some(given) = point.vectors.get(&vector.name) {
                vectors::encode(&vector.name, &vector.params, given, &place, &mut section.bulk)?;
                slots.push(slot as u16);
            }
        }
        if slots.len() < point.vectors.0.len() {
            point
                .vectors
                .0
                .keys()
                .try_for_each(|name| schema.require(name).map(drop))?;
        }
        if last.get(&point.id) == Some(&i) {
            section.note(EffectKind::Put, point.id, payload, slots)?;
        } else {
            // A point that a later one replaces has been checked like any other.
            section.bulk.truncate(start);
        }
    }
    Ok(section)
}

fn patches(schema: &Schema, points: Vec<(PointId, Vectors)>) -> Result<Vec<(PointId, Patch)>> {
    check_count(points.len())?;
    let mut order: Vec<(PointId, Patch)> = Vec::new();
    let mut at: HashMap<PointId, usize> = HashMap::new();
    for (id, given) in points {
        if given.0.is_empty() {
            return Err(Error::InvalidRequest(format!(
                "point {id}: no vectors to update are given"
            )));
        }
        let i = *at.entry(id).or_insert_with(|| {
            order.push((id, Patch::new()));
            order.len() - 1
        });
        for (name, vector) in &given.0 {
            let slot = schema.require(name)?;
            let mut bytes = Vec::new();
            let place = || format!("point {id}: ");
            vectors::encode(name, &schema.vectors[slot].params, vector, &place, &mut bytes)?;
            order[i].1.retain(|(s, _)| *s != slot);
            order[i].1.push((slot, bytes));
        }
    }
    Ok(order)
}

/// What a point is at this place in the batch.
enum Current {
    Stored(Located),
    /// Written earlier in the same batch.
    Staged {
        version: u64,
        payload: Vec<u8>,
        vectors: Vec<Option<Vec<u8>>>,
    },
}

impl Current {
    fn version(&self) -> u64 {
        match self {
            Current::Stored(located) => located.version(),
            Current::Staged { version, .. } => *version,
        }
    }

    fn payload(&self) -> Result<&[u8]> {
        match self {
            Current::Stored(located) => located.payload(),
            Current::Staged { payload, .. } => Ok(payload),
        }
    }

    fn vector(&self, slot: usize) -> Option<&[u8]> {
        match self {
            Current::Stored(located) => located.vector(slot),
            Current::Staged { vectors, .. } => vectors.get(slot)?.as_deref(),
        }
    }

    fn matches(&self, schema: &Schema, id: PointId, filter: &CompiledFilter) -> Result<bool> {
        let has_vector = |slot: usize| self.vector(slot).is_some();
        Ok(filter.matches(&StoredPoint {
            schema,
            id,
            payload: self.payload()?,
            has_vector: &has_vector,
        })?)
    }
}

/// What a point was at some place in a batch; `None` when the batch deleted it.
type Staged = Option<(u64, Vec<u8>, Vec<Option<Vec<u8>>>)>;

/// Resolves the operations of one batch on one collection, in order.
pub(crate) struct Resolver {
    tables: Arc<Tables>,
    /// Effects of earlier operations of the batch, kept only when later ones need them.
    staged: HashMap<PointId, Staged>,
    stages: bool,
}

impl Resolver {
    /// `several`: more than one entry of the batch is on this collection.
    pub(crate) fn new(tables: Arc<Tables>, several: bool) -> Self {
        Resolver {
            tables,
            staged: HashMap::new(),
            stages: several,
        }
    }

    fn current(&self, id: PointId) -> Option<Current> {
        match self.staged.get(&id) {
            Some(staged) => staged.clone().map(|(version, payload, vectors)| Current::Staged {
                version,
                payload,
                vectors,
            }),
            None => self.tables.latest(id).map(Current::Stored),
        }
    }

    /// Checks a condition of the batch.
    pub(crate) fn require(&self, id: PointId, expected: Expected) -> Result<()> {
        let found = self.current(id).map(|c| c.version());
        let holds = match expected {
            Expected::Absent => found.is_none(),
            Expected::Present => found.is_some(),
            Expected::Version(version) => found == Some(version),
        };
        if holds {
            return Ok(());
        }
        let expected = match expected {
            Expected::Absent => "no point".to_owned(),
            Expected::Present => "a point".to_owned(),
            Expected::Version(version) => format!("version {version}"),
        };
        let found = found.map_or("no point".to_owned(), |v| format!("version {v}"));
        Err(Error::Conflict { id, expected, found })
    }

    /// The effects of an operation that has the sequence number `seq`.
    pub(crate) fn resolve(&mut self, prepared: Prepared, collection: u32, seq: u64) -> Result<Section> {
        let schema = self.tables.schema.clone();
        let mut section = match prepared {
            Prepared::Rows {
                section,
                mode,
                filter,
            } => self.upsert(&schema, section, mode, filter.as_ref())?,
            Prepared::Delete(target) => {
                let mut out = Section::default();
                let required = false;
                for (id, _) in self.select(&schema, &target, required)? {
                    out.push(EffectKind::Delete, id, &[], [])?;
                }
                out
            }
            Prepared::Payload { edit, target } => {
                let mut out = Section::default();
                for (id, current) in self.select(&schema, &target, true)? {
                    let payload = edited(&edit, current.payload()?)?;
                    out.push(EffectKind::Payload, id, &payload, [])?;
                }
                out
            }
            Prepared::Vectors { points, filter } => self.update_vectors(&schema, &points, filter.as_ref())?,
            Prepared::DropVectors { slots, target } => {
                let mut out = Section::default();
                for (id, current) in self.select(&schema, &target, true)? {
                    let kept = (0..schema.vectors.len()).filter(|slot| !slots.contains(slot));
                    let kept: Vec<_> = kept
                        .filter_map(|slot| Some((slot, current.vector(slot)?)))
                        .collect();
                    out.push(EffectKind::Put, id, current.payload()?, kept)?;
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
            let wanted = match self.current(effect.id) {
                None => mode != UpsertMode::UpdateOnly,
                Some(_) if mode == UpsertMode::InsertOnly => false,
                Some(current) => match filter {
                    Some(filter) => current.matches(schema, effect.id, filter)?,
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
    ) -> Result<Section> {
        let mut out = Section::default();
        for (id, patch) in points {
            let current = self.current(*id).ok_or(Error::PointNotFound { id: *id })?;
            if let Some(filter) = filter
                && !current.matches(schema, *id, filter)?
            {
                continue;
            }
            let merged = (0..schema.vectors.len()).filter_map(|slot| {
                let new = patch
                    .iter()
                    .find(|(s, _)| *s == slot)
                    .map(|(_, bytes)| bytes.as_slice());
                Some((slot, new.or_else(|| current.vector(slot))?))
            });
            out.push(
                EffectKind::Put,
                *id,
                current.payload()?,
                merged.collect::<Vec<_>>(),
            )?;
        }
        Ok(out)
    }

    /// The points of a target, each once. With `required`, an id that does not exist is an error.
    fn select(&self, schema: &Schema, target: &Selection, required: bool) -> Result<Vec<(PointId, Current)>> {
        match target {
            Selection::Ids(ids) => {
                let mut seen = std::collections::HashSet::with_capacity(ids.len());
                let mut out = Vec::with_capacity(ids.len());
                for &id in ids.iter().filter(|id| seen.insert(**id)) {
                    match self.current(id) {
                        Some(current) => out.push((id, current)),
                        None if required => return Err(Error::PointNotFound { id }),
                        None => {}
                    }
                }
                Ok(out)
            }
            Selection::Filter(filter) => {
                let mut out = Vec::new();
                each(&self.tables, Horizon::Latest, Some(filter), |id, located| {
                    if !self.staged.contains_key(&id) {
                        out.push((id, Current::Stored(located)));
                    }
                    Ok(())
                })?;
                for &id in self.staged.keys() {
                    if let Some(current) = self.current(id)
                        && current.matches(schema, id, filter)?
                    {
                        out.push((id, current));
                    }
                }
                // Replay, and a reader of the log, should not depend on how the points were found.
                out.sort_unstable_by_key(|(id, _)| *id);
                check_count(out.len())?;
                Ok(out)
            }
        }
    }

    fn stage(&mut self, schema: &Schema, section: &Section) -> Result<()> {
        let mut changes = Vec::with_capacity(section.effects.len());
        section.for_each(schema, |effect| {
            let staged = match effect.kind {
                EffectKind::Delete => None,
                EffectKind::Put => Some((
                    section.seq,
                    effect.payload.to_vec(),
                    effect.vectors.iter().map(|v| v.map(<[u8]>::to_vec)).collect(),
                )),
                EffectKind::Payload => {
                    let current = self
                        .current(effect.id)
                        .ok_or(Error::PointNotFound { id: effect.id })?;
                    let vectors = (0..schema.vectors.len()).map(|s| current.vector(s).map(<[u8]>::to_vec));
                    Some((section.seq, effect.payload.to_vec(), vectors.collect()))
                }
            };
            changes.push((effect.id, staged));
            Ok(())
        })?;
        self.staged.extend(changes);
        Ok(())
    }
}

fn edited(edit: &PayloadEdit, stored: &[u8]) -> Result<Vec<u8>> {
    let decoded = || -> Result<Payload> {
        if stored.is_empty() {
            Ok(Payload::new())
        } else {
            Ok(decode_payload(stored)?)
        }
    };
    match edit {
        PayloadEdit::Overwrite(bytes) => Ok(bytes.clone()),
        PayloadEdit::Set { payload, key } => {
            let mut map = decoded()?;
            crate::payload::set(&mut map, payload, key.as_ref());
            encode_payload(&map)
        }
        PayloadEdit::Delete(paths) => {
            let mut map = decoded()?;
            for path in paths {
                crate::payload::delete(&mut map, path);
            }
            encode_payload(&map)
        }
    }
}
