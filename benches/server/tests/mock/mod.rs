//! A small stand-in for a Qdrant server: one collection in memory, exact search, keyword and integer matches.

pub(crate) mod grpc;
pub(crate) mod rest;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::{Map, Value};

/// What the collection holds and what was asked of it, in REST's JSON whatever the transport.
#[derive(Debug, Default)]
pub(crate) struct Store {
    /// The body that made the collection.
    pub(crate) created: Option<Value>,
    /// Payload indexes, as `path kind`.
    pub(crate) indexes: Vec<String>,
    pub(crate) points: BTreeMap<u64, (Vec<f32>, Map<String, Value>)>,
    /// How often the state was looked at.
    pub(crate) looks: usize,
    /// The search parameters of the last query.
    pub(crate) params: Value,
    /// How often the collection was removed.
    pub(crate) deleted: usize,
}

#[derive(Clone, Default)]
pub(crate) struct Shared(Arc<Mutex<Store>>);

impl Shared {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Store> {
        self.0.lock().unwrap()
    }
}

impl Store {
    /// The index is complete when it is looked at for the second time.
    pub(crate) fn is_green(&mut self) -> bool {
        self.looks += 1;
        self.looks > 1
    }

    pub(crate) fn delete(&mut self) -> bool {
        self.deleted += 1;
        self.points.clear();
        self.created.take().is_some()
    }

    /// Ids and scores of the nearest by inner product.
    pub(crate) fn nearest(
        &self,
        query: &[f32],
        limit: usize,
        matches: Option<(&str, &Value)>,
    ) -> Vec<(u64, f32)> {
        let wanted = |payload: &Map<String, Value>| match matches {
            None => true,
            Some((key, value)) => payload.get(key).is_some_and(|stored| {
                stored == value || stored.as_array().is_some_and(|all| all.contains(value))
            }),
        };
        let among = self.points.iter().filter(|(_, (_, payload))| wanted(payload));
        let score = |vector: &[f32]| vector.iter().zip(query).map(|(x, y)| x * y).sum();
        let mut found: Vec<(u64, f32)> = among.map(|(id, (vector, _))| (*id, score(vector))).collect();
        found.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        found.truncate(limit);
        found
    }
}
