//! What answers calls.

use super::collections::CollectionCalls;
use super::points::PointCalls;
use super::qdrant::ServerCalls;
use super::snapshots::SnapshotCalls;
use crate::service::Service;

/// Answers the calls of all services. The methods of its parts take a message and give a message, so that a caller in the
/// same process needs no wire; the traits of the services are implemented over them.
#[derive(Clone, Debug)]
pub(crate) struct Api {
    /// Collections and aliases.
    pub(crate) collections: CollectionCalls,
    /// Points.
    pub(crate) points: PointCalls,
    /// Snapshots.
    pub(crate) snapshots: SnapshotCalls,
    /// The server itself.
    pub(crate) server: ServerCalls,
}

impl Api {
    /// Answers from this service.
    pub(crate) fn new(service: &Service) -> Self {
        Api {
            collections: CollectionCalls(service.clone()),
            points: PointCalls(service.clone()),
            snapshots: SnapshotCalls(service.clone()),
            server: ServerCalls,
        }
    }
}
