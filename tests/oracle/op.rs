//! Operations as the oracle and the engine both take them. Filters are JSON: the engine parses them, the oracle
//! evaluates them as they are.

use serde_json::Value;
use vdb::{Filter, Operation, Payload, Point, PointId, Target, UpsertMode, Vectors};

/// Which points an operation is about.
#[derive(Clone, Debug, PartialEq)]
pub enum Aim {
    /// Points by id.
    Ids(Vec<PointId>),
    /// Points that match a filter in JSON.
    Filter(Value),
}

/// See [`Operation`].
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// Whole points.
    Upsert {
        /// The points.
        points: Vec<Point>,
        /// What happens to ids that exist or do not.
        mode: UpsertMode,
        /// Existing points that fail it stay as they are.
        filter: Option<Value>,
    },
    /// Deletion.
    Delete(Aim),
    /// Merging keys into the payload, or into what is at a path of it.
    SetPayload(Payload, Aim, Option<String>),
    /// Replacing the payload.
    OverwritePayload(Payload, Aim),
    /// Removing payload paths.
    DeletePayload(Vec<String>, Aim),
    /// Removing the payload.
    ClearPayload(Aim),
    /// Replacing some vectors.
    UpdateVectors {
        /// Vectors by point.
        points: Vec<(PointId, Vectors)>,
        /// Points that fail it stay as they are.
        filter: Option<Value>,
    },
    /// Removing vectors.
    DeleteVectors(Vec<String>, Aim),
}

/// A filter of the engine from its JSON.
pub fn parse_filter(json: &Value) -> Filter {
    Filter::from_json(json).unwrap_or_else(|e| panic!("{json}: {e}"))
}

impl Aim {
    fn target(&self) -> Target {
        match self {
            Aim::Ids(ids) => Target::Ids(ids.clone()),
            Aim::Filter(json) => Target::Filter(parse_filter(json)),
        }
    }
}

impl Op {
    /// A plain upsert.
    pub fn upsert(points: Vec<Point>) -> Op {
        Op::Upsert {
            points,
            mode: UpsertMode::Upsert,
            filter: None,
        }
    }

    /// The engine's form.
    pub fn operation(&self) -> Operation {
        let filter = |json: &Option<Value>| json.as_ref().map(parse_filter);
        match self.clone() {
            Op::Upsert {
                points,
                mode,
                filter: json,
            } => Operation::Upsert {
                points,
                mode,
                update_filter: filter(&json),
            },
            Op::Delete(aim) => Operation::Delete { target: aim.target() },
            Op::SetPayload(payload, aim, key) => Operation::SetPayload {
                payload,
                target: aim.target(),
                key,
            },
            Op::OverwritePayload(payload, aim) => Operation::OverwritePayload {
                payload,
                target: aim.target(),
            },
            Op::DeletePayload(keys, aim) => Operation::DeletePayload {
                keys,
                target: aim.target(),
            },
            Op::ClearPayload(aim) => Operation::ClearPayload { target: aim.target() },
            Op::UpdateVectors { points, filter: json } => Operation::UpdateVectors {
                points,
                update_filter: filter(&json),
            },
            Op::DeleteVectors(names, aim) => Operation::DeleteVectors {
                names,
                target: aim.target(),
            },
        }
    }
}
