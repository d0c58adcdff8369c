//! One collection as a map.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use vdb::{
    CollectionConfig, CollectionUpdate, Expected, NamedVectorParams, Payload, PayloadIndexKind, PointId,
    UpsertMode, Vector, VectorParams, Vectors,
};

use super::op::{Aim, Op};
use super::{filter, path, vector};

/// A point.
#[derive(Clone, Debug, PartialEq)]
pub struct OraclePoint {
    /// Number of the last operation that touched it.
    pub version: u64,
    /// JSON.
    pub payload: Payload,
    /// As they are stored, by name.
    pub vectors: BTreeMap<String, Vector>,
}

/// Why an operation is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A point that must exist does not.
    Missing(PointId),
    /// A condition of a batch does not hold.
    Conflict(PointId),
    /// The collection has no vector of that name.
    UnknownVector(String),
    /// An entry of a vector update has no vectors.
    NoVectors,
    /// No collection of that name.
    NoCollection(String),
}

/// A collection.
#[derive(Clone, Debug, PartialEq)]
pub struct OracleCollection {
    /// Its vectors and settings.
    pub config: CollectionConfig,
    /// The points.
    pub points: BTreeMap<PointId, OraclePoint>,
    /// Number that the next operation takes.
    pub next_seq: u64,
    /// Indexed payload paths.
    pub indexes: BTreeMap<String, PayloadIndexKind>,
}

impl OracleCollection {
    /// An empty collection.
    pub fn new(config: CollectionConfig) -> Self {
        OracleCollection {
            config,
            points: BTreeMap::new(),
            next_seq: 1,
            indexes: BTreeMap::new(),
        }
    }

    /// Parameters of a vector.
    pub fn params(&self, name: &str) -> Option<&VectorParams> {
        self.config
            .vectors
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, params)| params)
    }

    /// Parameters of a vector of any kind.
    pub fn named(&self, name: &str) -> Option<NamedVectorParams> {
        let sparse = self.config.sparse_vectors.iter().find(|(n, _)| n == name);
        let dense = || self.params(name).map(|params| params.clone().into());
        sparse.map(|(_, params)| (*params).into()).or_else(dense)
    }

    /// Adds a named vector; takes a sequence number when there was none.
    pub fn create_vector(&mut self, name: &str, params: NamedVectorParams) -> bool {
        if self.named(name).is_some() {
            return false;
        }
        match params {
            NamedVectorParams::Dense(params) => self.config.vectors.push((name.to_owned(), params)),
            NamedVectorParams::Sparse(params) => self.config.sparse_vectors.push((name.to_owned(), params)),
        }
        self.next_seq += 1;
        true
    }

    /// Drops a named vector from all points; takes a sequence number when there is one.
    pub fn drop_vector(&mut self, name: &str) -> bool {
        let dropped = self.named(name).is_some();
        self.config.vectors.retain(|(n, _)| n != name);
        self.config.sparse_vectors.retain(|(n, _)| n != name);
        for point in self.points.values_mut() {
            point.vectors.remove(name);
        }
        self.next_seq += u64::from(dropped);
        dropped
    }

    fn stored(&self, given: &Vectors) -> Result<BTreeMap<String, Vector>, Refusal> {
        let one = |(name, vector): (&String, &Vector)| {
            let params = self
                .named(name)
                .ok_or_else(|| Refusal::UnknownVector(name.clone()))?;
            Ok((name.clone(), vector::stored_as(&params, vector)))
        };
        given.0.iter().map(one).collect()
    }

    /// Whether a point matches a filter in JSON.
    pub fn matches(&self, id: PointId, json: &Value) -> bool {
        self.points
            .get(&id)
            .is_some_and(|point| filter::matches(json, id, point, &self.indexes))
    }

    /// Ids of all points that match, ascending.
    pub fn matching(&self, json: Option<&Value>) -> Vec<PointId> {
        let wanted = |id: &PointId| json.is_none_or(|json| self.matches(*id, json));
        self.points.keys().copied().filter(wanted).collect()
    }

    /// Checks a condition of a batch.
    pub fn require(&self, id: PointId, expected: Expected) -> Result<(), Refusal> {
        let found = self.points.get(&id).map(|point| point.version);
        let holds = match expected {
            Expected::Absent => found.is_none(),
            Expected::Present => found.is_some(),
            Expected::Version(version) => found == Some(version),
        };
        if holds { Ok(()) } else { Err(Refusal::Conflict(id)) }
    }

    /// The ids that an operation is about. Those given must exist when `required`.
    fn aimed(&self, aim: &Aim, required: bool) -> Result<BTreeSet<PointId>, Refusal> {
        match aim {
            Aim::Filter(json) => Ok(self.matching(Some(json)).into_iter().collect()),
            Aim::Ids(ids) => {
                let missing = ids.iter().find(|id| required && !self.points.contains_key(id));
                match missing {
                    Some(&id) => Err(Refusal::Missing(id)),
                    None => Ok(ids
                        .iter()
                        .copied()
                        .filter(|id| self.points.contains_key(id))
                        .collect()),
                }
            }
        }
    }

    fn edit(&mut self, aim: &Aim, mut change: impl FnMut(&mut OraclePoint)) -> Result<(), Refusal> {
        let version = self.next_seq;
        for id in self.aimed(aim, true)? {
            let point = self.points.get_mut(&id).unwrap();
            change(point);
            point.version = version;
        }
        Ok(())
    }

    /// Carries out an operation. After a refusal the collection is of no more use.
    pub fn apply(&mut self, op: &Op) -> Result<(), Refusal> {
        let version = self.next_seq;
        match op {
            Op::Upsert { points, mode, filter } => {
                // Decided on what is there before; the last of several points with one id counts.
                let mut writes = BTreeMap::new();
                for point in points {
                    let vectors = self.stored(&point.vectors)?;
                    let wanted = match mode {
                        UpsertMode::InsertOnly if self.points.contains_key(&point.id) => false,
                        UpsertMode::UpdateOnly if !self.points.contains_key(&point.id) => false,
                        UpsertMode::Upsert | UpsertMode::InsertOnly | UpsertMode::UpdateOnly => {
                            let passes = |json| self.matches(point.id, json);
                            !self.points.contains_key(&point.id) || filter.as_ref().is_none_or(passes)
                        }
                    };
                    if wanted {
                        let payload = point.payload.clone();
                        writes.insert(
                            point.id,
                            OraclePoint {
                                version,
                                payload,
                                vectors,
                            },
                        );
                    }
                }
                self.points.extend(writes);
            }
            Op::Delete(aim) => {
                for id in self.aimed(aim, false)? {
                    self.points.remove(&id);
                }
            }
            Op::SetPayload(payload, aim, key) => {
                self.edit(aim, |point| {
                    path::set(&mut point.payload, payload, key.as_deref())
                })?;
            }
            Op::OverwritePayload(payload, aim) => self.edit(aim, |point| point.payload = payload.clone())?,
            Op::DeletePayload(keys, aim) => {
                self.edit(aim, |point| {
                    keys.iter().for_each(|key| path::delete(&mut point.payload, key))
                })?;
            }
            Op::ClearPayload(aim) => self.edit(aim, |point| point.payload.clear())?,
            Op::UpdateVectors { points, filter } => self.update_vectors(points, filter.as_ref())?,
            Op::DeleteVectors(names, aim) => {
                if let Some(unknown) = names.iter().find(|name| self.named(name).is_none()) {
                    return Err(Refusal::UnknownVector(unknown.clone()));
                }
                self.edit(aim, |point| point.vectors.retain(|name, _| !names.contains(name)))?;
            }
        }
        self.next_seq += 1;
        Ok(())
    }

    fn update_vectors(
        &mut self,
        points: &[(PointId, Vectors)],
        filter: Option<&Value>,
    ) -> Result<(), Refusal> {
        let mut patches: BTreeMap<PointId, BTreeMap<String, Vector>> = BTreeMap::new();
        for (id, vectors) in points {
            if vectors.0.is_empty() {
                return Err(Refusal::NoVectors);
            }
            patches.entry(*id).or_default().extend(self.stored(vectors)?);
        }
        let version = self.next_seq;
        for (id, patch) in patches {
            if !self.points.contains_key(&id) {
                return Err(Refusal::Missing(id));
            }
            if filter.is_none_or(|json| self.matches(id, json)) {
                let point = self.points.get_mut(&id).unwrap();
                point.vectors.extend(patch);
                point.version = version;
            }
        }
        Ok(())
    }

    /// Creates a payload index, or changes its kind; takes a sequence number when it does.
    pub fn create_index(&mut self, path: &str, kind: PayloadIndexKind) {
        if self.indexes.insert(path.to_owned(), kind) != Some(kind) {
            self.next_seq += 1;
        }
    }

    /// Changes settings; takes a sequence number.
    pub fn configure(&mut self, update: &CollectionUpdate) {
        self.config.update(update).unwrap();
        self.next_seq += 1;
    }

    /// Drops a payload index; takes a sequence number when there is one.
    pub fn drop_index(&mut self, path: &str) -> bool {
        let dropped = self.indexes.remove(path).is_some();
        self.next_seq += u64::from(dropped);
        dropped
    }
}
