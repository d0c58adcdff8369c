//! What a user writes: operations, and batches of them that take effect together.

use vdb_storage::PointId;

use crate::expected::Expected;
use crate::filter::Filter;
use crate::point::{Payload, Point, Vectors};

/// Which points an operation touches.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// Points by id.
    Ids(Vec<PointId>),
    /// Every point that a filter matches when the operation takes its turn.
    Filter(Filter),
}

impl<I: Into<PointId>> From<Vec<I>> for Target {
    fn from(ids: Vec<I>) -> Self {
        Target::Ids(ids.into_iter().map(Into::into).collect())
    }
}

impl From<Filter> for Target {
    fn from(filter: Filter) -> Self {
        Target::Filter(filter)
    }
}

/// What an upsert does with ids that exist, and with those that do not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UpsertMode {
    /// Replace existing points, insert new ones.
    #[default]
    Upsert,
    /// Leave existing points alone.
    InsertOnly,
    /// Never insert a new point.
    UpdateOnly,
}

/// One write to one collection. All of it takes effect, or none.
///
/// ```
/// use vdb::{CollectionConfig, Database, Distance, Operation, Point, UpsertMode, VectorParams};
///
/// let db = Database::builder().open_in_memory()?;
/// let c = db.create_collection("c", CollectionConfig::new(VectorParams::new(1, Distance::Dot)))?;
/// c.upsert(vec![Point::new(1, [1.0])])?;
/// // Points that exist stay as they are.
/// c.apply(Operation::Upsert {
///     points: vec![Point::new(1, [9.0]), Point::new(2, [2.0])],
///     mode: UpsertMode::InsertOnly,
///     update_filter: None,
/// })?;
/// assert_eq!((c.get(&[1.into()], &Default::default())?[0].version, c.count(None)?), (1, 2));
/// # Ok::<_, vdb::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Operation {
    /// Writes whole points: vectors and payload not given disappear. Of several points with one id the last wins.
    Upsert {
        /// The points.
        points: Vec<Point>,
        /// What happens to ids that exist, and to those that do not.
        mode: UpsertMode,
        /// Existing points that fail this filter are left alone.
        update_filter: Option<Filter>,
    },
    /// Deletes points; ids that do not exist are fine.
    Delete {
        /// Which points.
        target: Target,
    },
    /// Merges keys into the payload at the top level, or below `key`; a null removes its key.
    SetPayload {
        /// Keys to set.
        payload: Payload,
        /// Which points; every id must exist.
        target: Target,
        /// A payload path to merge into, made where missing: `a.b` an object in an object, `a[]` and `a[0]` an empty
        /// array, whatever else was there. Arrays do not grow: behind an `[n]` beyond the end nothing is set.
        key: Option<String>,
    },
    /// Replaces the payload.
    OverwritePayload {
        /// The new payload.
        payload: Payload,
        /// Which points; every id must exist.
        target: Target,
    },
    /// Removes payload paths.
    DeletePayload {
        /// Payload paths. One that ends in `[]` empties the array; one that ends in `[n]` removes nothing, since the
        /// elements behind it would move.
        keys: Vec<String>,
        /// Which points; every id must exist.
        target: Target,
    },
    /// Removes the whole payload.
    ClearPayload {
        /// Which points; every id must exist.
        target: Target,
    },
    /// Replaces the vectors given and keeps the others; several entries for one id merge.
    UpdateVectors {
        /// Vectors by point; every id must exist.
        points: Vec<(PointId, Vectors)>,
        /// Points that fail this filter are left alone.
        update_filter: Option<Filter>,
    },
    /// Removes vectors by name; a point that lacks one is fine.
    DeleteVectors {
        /// Vector names.
        names: Vec<String>,
        /// Which points; every id must exist.
        target: Target,
    },
}

impl Operation {
    /// Points that it names itself; those that a filter finds are not counted.
    pub(crate) fn points(&self) -> usize {
        match self {
            Operation::Upsert { points, .. } => points.len(),
            Operation::UpdateVectors { points, .. } => points.len(),
            Operation::Delete { target }
            | Operation::SetPayload { target, .. }
            | Operation::OverwritePayload { target, .. }
            | Operation::DeletePayload { target, .. }
            | Operation::ClearPayload { target }
            | Operation::DeleteVectors { target, .. } => match target {
                Target::Ids(ids) => ids.len(),
                Target::Filter(_) => 1,
            },
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Entry {
    Operation(Operation),
    /// An operation on those of its points that exist.
    OnExisting(Operation),
    Require {
        id: PointId,
        expected: Expected,
    },
}

/// Several operations, on one collection or several, that take effect together or not at all, in order: each
/// sees what those before it wrote.
///
/// ```
/// use vdb::{CollectionConfig, Database, Distance, Point, VectorParams, WriteBatch};
///
/// let db = Database::builder().open_in_memory()?;
/// let config = CollectionConfig::new(VectorParams::new(2, Distance::Dot));
/// db.create_collection("a", config.clone())?;
/// db.create_collection("b", config)?;
/// db.write(
///     WriteBatch::new()
///         .require_absent("a", 1)
///         .upsert("a", vec![Point::new(1, [1.0, 0.0])])
///         .delete("b", vec![7u64]),
/// )?;
/// # Ok::<_, vdb::Error>(())
/// ```
///
/// Compare and set: read a point, and write only if nobody has touched it since.
///
/// ```
/// use serde_json::json;
/// use vdb::{CollectionConfig, Database, Distance, Error, Point, Select, VectorParams, WriteBatch};
///
/// let db = Database::builder().open_in_memory()?;
/// let c = db.create_collection("c", CollectionConfig::new(VectorParams::new(1, Distance::Dot)))?;
/// c.upsert(vec![Point::new(1, [1.0]).payload(json!({"count": 1}))?])?;
/// let add_one = || -> vdb::Result<()> {
///     let read = c.get(&[1.into()], &Select::payload())?.remove(0);
///     let count = read.payload.unwrap()["count"].as_i64().unwrap();
///     let next = json!({"count": count + 1}).as_object().unwrap().clone();
///     let batch = WriteBatch::new()
///         .require_version("c", 1, read.version)
///         .set_payload("c", next, vec![1u64]);
///     db.write(batch).map(drop)
/// };
/// // A conflict says that somebody was faster: read again.
/// while let Err(error) = add_one() {
///     assert!(matches!(error, Error::Conflict { .. }));
/// }
/// assert_eq!(c.get(&[1.into()], &Select::payload())?[0].payload.as_ref().unwrap()["count"], 2);
/// # Ok::<_, vdb::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WriteBatch {
    pub(crate) entries: Vec<(String, Entry)>,
}

impl WriteBatch {
    /// A batch without operations.
    pub fn new() -> Self {
        WriteBatch::default()
    }

    /// Adds an operation on a collection.
    #[must_use]
    pub fn operation(mut self, collection: impl Into<String>, operation: Operation) -> Self {
        self.entries
            .push((collection.into(), Entry::Operation(operation)));
        self
    }

    /// Adds an upsert of whole points.
    #[must_use]
    pub fn upsert(self, collection: impl Into<String>, points: Vec<Point>) -> Self {
        self.operation(
            collection,
            Operation::Upsert {
                points,
                mode: UpsertMode::Upsert,
                update_filter: None,
            },
        )
    }

    /// Adds a deletion.
    #[must_use]
    pub fn delete(self, collection: impl Into<String>, target: impl Into<Target>) -> Self {
        self.operation(
            collection,
            Operation::Delete {
                target: target.into(),
            },
        )
    }

    /// Adds a merge of payload keys.
    #[must_use]
    pub fn set_payload(
        self,
        collection: impl Into<String>,
        payload: Payload,
        target: impl Into<Target>,
    ) -> Self {
        self.operation(
            collection,
            Operation::SetPayload {
                payload,
                target: target.into(),
                key: None,
            },
        )
    }

    /// The whole batch is refused unless this holds when its turn comes.
    #[must_use]
    pub fn require(
        mut self,
        collection: impl Into<String>,
        id: impl Into<PointId>,
        expected: Expected,
    ) -> Self {
        self.entries.push((
            collection.into(),
            Entry::Require {
                id: id.into(),
                expected,
            },
        ));
        self
    }

    /// The whole batch is refused unless the point was last touched by the operation `version` (compare and set).
    #[must_use]
    pub fn require_version(
        self,
        collection: impl Into<String>,
        id: impl Into<PointId>,
        version: u64,
    ) -> Self {
        self.require(collection, id, Expected::Version(version))
    }

    /// The whole batch is refused if the point exists.
    #[must_use]
    pub fn require_absent(self, collection: impl Into<String>, id: impl Into<PointId>) -> Self {
        self.require(collection, id, Expected::Absent)
    }

    /// True when nothing has been added.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}
