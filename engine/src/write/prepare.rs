//! What can be checked and encoded of an operation before it has its place in the order.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use vdb_storage::PointId;

use crate::error::{Error, Result, within};
use crate::filter::{CompiledFilter, Filter, PayloadPath};
use crate::limits::{MAX_BATCH_POINTS, MAX_PATHS, MAX_VECTORS};
use crate::payload::{Merge, Removal, encoded};
use crate::point::{Point, Vectors};
use crate::schema::Schema;
use crate::vectors;
use crate::write::batch::{Operation, Target, UpsertMode};
use crate::write::record::{EffectKind, Section, VectorBytes};

/// Points are encoded into pieces of about this length: the disk begins with one while the next is written.
const PIECE_BYTES: usize = 256 << 10;

/// An operation with everything checked and encoded that does not depend on what is stored.
pub(crate) enum Prepared {
    Rows {
        section: Section,
        mode: UpsertMode,
        filter: Option<CompiledFilter>,
    },
    Delete(Selection),
    Payload {
        edit: Arc<PayloadEdit>,
        target: Selection,
    },
    Vectors {
        points: Vec<(PointId, Patch)>,
        filter: Option<Arc<CompiledFilter>>,
    },
    DropVectors {
        slots: Vec<usize>,
        target: Selection,
    },
}

/// Stored bytes by schema slot, for the slots that change.
pub(crate) type Patch = Vec<(usize, Vec<u8>)>;

/// A target, ready to be looked up. Each id is there once.
pub(crate) enum Selection {
    Ids(Vec<PointId>),
    Filter(Arc<CompiledFilter>),
    /// Those of the ids that match.
    Among(Vec<PointId>, Arc<CompiledFilter>),
}

impl Prepared {
    /// Whether it makes new versions of points that keep some of what they had.
    pub(crate) fn copies(&self) -> bool {
        match self {
            Prepared::Payload { .. } | Prepared::Vectors { .. } | Prepared::DropVectors { .. } => true,
            Prepared::Rows { .. } | Prepared::Delete(_) => false,
        }
    }

    /// The points that it names, or none where only a filter tells.
    pub(crate) fn named(&self) -> Option<usize> {
        match self {
            Prepared::Rows { section, .. } => Some(section.effects.len()),
            Prepared::Vectors { points, .. } => Some(points.len()),
            Prepared::Delete(target)
            | Prepared::Payload { target, .. }
            | Prepared::DropVectors { target, .. } => match target {
                Selection::Ids(ids) | Selection::Among(ids, _) => Some(ids.len()),
                Selection::Filter(_) => None,
            },
        }
    }

    /// The filter that alone tells its points.
    pub(crate) fn filter(&self) -> Option<&Arc<CompiledFilter>> {
        match self {
            Prepared::Delete(Selection::Filter(filter))
            | Prepared::Payload {
                target: Selection::Filter(filter),
                ..
            }
            | Prepared::DropVectors {
                target: Selection::Filter(filter),
                ..
            } => Some(filter),
            Prepared::Rows { .. }
            | Prepared::Delete(_)
            | Prepared::Payload { .. }
            | Prepared::Vectors { .. }
            | Prepared::DropVectors { .. } => None,
        }
    }

    /// The same for a part of its points: of those that it names these, of those that its filter tells those that are among
    /// `ids`, too.
    ///
    /// # Errors
    /// For whole points: there is nothing that would make more of them than their caller has.
    pub(crate) fn part(&self, named: Range<usize>, ids: &[PointId]) -> Result<Prepared> {
        let of = |target: &Selection| match target {
            Selection::Ids(all) => Selection::Ids(all[named.clone()].to_vec()),
            Selection::Among(all, filter) => Selection::Among(all[named.clone()].to_vec(), filter.clone()),
            Selection::Filter(filter) => Selection::Among(ids.to_vec(), filter.clone()),
        };
        Ok(match self {
            Prepared::Rows { .. } => {
                return Err(Error::InvalidRequest("whole points are written at once".into()));
            }
            Prepared::Delete(target) => Prepared::Delete(of(target)),
            Prepared::Payload { edit, target } => Prepared::Payload {
                edit: edit.clone(),
                target: of(target),
            },
            Prepared::Vectors { points, filter } => Prepared::Vectors {
                points: points[named.clone()].to_vec(),
                filter: filter.clone(),
            },
            Prepared::DropVectors { slots, target } => Prepared::DropVectors {
                slots: slots.clone(),
                target: of(target),
            },
        })
    }
}

pub(crate) enum PayloadEdit {
    Set(Merge),
    Overwrite(Vec<u8>),
    Delete(Removal),
}

/// Checks and encodes an operation. Runs outside the sequencer, so that writers do this in parallel.
pub(crate) fn prepare(schema: &Schema, operation: Operation) -> Result<Prepared> {
    Ok(match operation {
        Operation::Upsert {
            points,
            mode,
            update_filter,
        } => Prepared::Rows {
            section: rows(schema, &points)?,
            mode,
            filter: compiled(schema, update_filter.as_ref())?,
        },
        Operation::Delete { target } => Prepared::Delete(selection(schema, target)?),
        Operation::SetPayload { payload, target, key } => Prepared::Payload {
            edit: Arc::new(PayloadEdit::Set(Merge::new(
                payload,
                key.as_deref().map(PayloadPath::parse).transpose()?,
            )?)),
            target: selection(schema, target)?,
        },
        Operation::OverwritePayload { payload, target } => Prepared::Payload {
            edit: Arc::new(PayloadEdit::Overwrite(encoded(&payload)?)),
            target: selection(schema, target)?,
        },
        Operation::DeletePayload { keys, target } => {
            within("paths in one operation", MAX_PATHS, keys.len())?;
            let paths = keys.iter().map(|key| PayloadPath::parse(key));
            let removal = Removal::new(&paths.collect::<Result<Vec<_>, _>>()?);
            Prepared::Payload {
                edit: Arc::new(PayloadEdit::Delete(removal)),
                target: selection(schema, target)?,
            }
        }
        Operation::ClearPayload { target } => Prepared::Payload {
            edit: Arc::new(PayloadEdit::Overwrite(Vec::new())),
            target: selection(schema, target)?,
        },
        Operation::UpdateVectors {
            points,
            update_filter,
        } => Prepared::Vectors {
            points: patches(schema, points)?,
            filter: compiled(schema, update_filter.as_ref())?.map(Arc::new),
        },
        Operation::DeleteVectors { names, target } => {
            within("vector names in one operation", MAX_VECTORS, names.len())?;
            let slots = names.iter().map(|n| Ok(schema.require(n)?.0));
            let slots = slots.collect::<Result<_>>()?;
            Prepared::DropVectors {
                slots,
                target: selection(schema, target)?,
            }
        }
    })
}

fn compiled(schema: &Schema, filter: Option<&Filter>) -> Result<Option<CompiledFilter>> {
    Ok(filter
        .map(|filter| CompiledFilter::new(filter, schema))
        .transpose()?)
}

fn selection(schema: &Schema, target: Target) -> Result<Selection> {
    Ok(match target {
        Target::Ids(mut ids) => {
            check_count(ids.len())?;
            let mut seen = HashSet::with_capacity(ids.len());
            ids.retain(|id| seen.insert(*id));
            Selection::Ids(ids)
        }
        Target::Filter(filter) => Selection::Filter(Arc::new(CompiledFilter::new(&filter, schema)?)),
    })
}

fn check_count(found: usize) -> Result<()> {
    within("points in one operation", MAX_BATCH_POINTS, found)
}

/// Encodes whole points; of several with one id only the last is kept.
///
/// On the caller's thread: handing halves of a batch to a pool cost more in wake-ups, and in memory that one thread
/// allocates and another frees, than it saved (1,000 x 384 numbers: 3.5 ms a write against 2.3).
fn rows(schema: &Schema, points: &[Point]) -> Result<Section> {
    check_count(points.len())?;
    let mut last = HashMap::with_capacity(points.len());
    for (i, point) in points.iter().enumerate() {
        last.insert(point.id, i);
    }
    let mut section = Section::default();
    section.effects.reserve(points.len());
    let row_bytes: usize = schema
        .vectors()
        .filter_map(|(_, v)| Some(v.dense()?.params.row_bytes()))
        .sum();
    let expected = points.len().saturating_mul(row_bytes);
    let mut piece = Vec::with_capacity(expected.min(PIECE_BYTES));
    for (i, point) in points.iter().enumerate() {
        if piece.len() + row_bytes > PIECE_BYTES && !piece.is_empty() {
            let next = Vec::with_capacity(PIECE_BYTES);
            section.bulk.push(std::mem::replace(&mut piece, next));
        }
        let place = || format!("point {}: ", point.id);
        let start = piece.len();
        piece.extend_from_slice(&encoded(&point.payload)?);
        let payload = piece.len() - start;
        // Names come in their own order, sections hold slots in the schema's.
        let mut slots = Vec::with_capacity(point.vectors.0.len());
        for (slot, vector) in schema.vectors() {
            if let Some(given) = point.vectors.get(&vector.name) {
                let start = piece.len();
                vectors::encode(vector, given, &place, &mut piece)?;
                slots.push(VectorBytes::new(slot, piece.len() - start)?);
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
            piece.truncate(start);
        }
    }
    section.bulk.push(piece);
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
            let (slot, schema) = schema.require(name)?;
            let mut bytes = Vec::new();
            let place = || format!("point {id}: ");
            vectors::encode(schema, vector, &place, &mut bytes)?;
            order[i].1.retain(|(s, _)| *s != slot);
            order[i].1.push((slot, bytes));
        }
    }
    Ok(order)
}
