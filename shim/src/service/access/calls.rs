//! What each call needs. A call that is not here needs everything: whoever adds one has to say.
//!
//! The rows are those of Qdrant's table of access, in its order where there is one.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::super::error::Result;
use super::rights::{Access, Right};

/// What a call needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Nobody is asked for a key.
    Nothing,
    /// Any key. The answer tells only of what the caller may see.
    Key,
    /// This right on everything.
    Everywhere(Right),
    /// This right on the collection that the call names, and reading those that its queries take vectors and records from.
    On(Right),
}

impl Needs {
    /// Whether somebody may make the call, which names this collection.
    ///
    /// # Errors
    /// [`Forbidden`](super::super::ErrorKind::Forbidden) when he may not.
    pub fn check(self, access: &Access, collection: Option<&str>) -> Result<()> {
        match self {
            Needs::Nothing | Needs::Key => Ok(()),
            Needs::Everywhere(right) => access.everywhere(right),
            // A call that names none cannot be about one of his.
            Needs::On(right) => match collection {
                Some(collection) => access.on(collection, right),
                None => access.everywhere(right),
            },
        }
    }
}

/// A call by its names.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    /// Methods and routes of REST.
    pub rest: &'static [(&'static str, &'static str)],
    /// Services and methods of gRPC.
    pub grpc: &'static [&'static str],
    /// What it needs.
    pub needs: Needs,
}

const fn call(
    needs: Needs,
    rest: &'static [(&'static str, &'static str)],
    grpc: &'static [&'static str],
) -> Call {
    Call { rest, grpc, needs }
}

const READ_ALL: Needs = Needs::Everywhere(Right::Read);
const MANAGE: Needs = Needs::Everywhere(Right::Manage);
const READ: Needs = Needs::On(Right::Read);
const WRITE_POINTS: Needs = Needs::On(Right::WritePoints);
const WRITE: Needs = Needs::On(Right::Write);

/// All calls.
#[rustfmt::skip]
pub const CALLS: &[Call] = &[
    // Collections and aliases
    call(Needs::Key, &[("GET", "/collections")], &["qdrant.Collections/List"]),
    call(READ, &[("GET", "/collections/{collection_name}")], &["qdrant.Collections/Get"]),
    call(MANAGE, &[("PUT", "/collections/{collection_name}")], &["qdrant.Collections/Create"]),
    call(MANAGE, &[("DELETE", "/collections/{collection_name}")], &["qdrant.Collections/Delete"]),
    call(MANAGE, &[("PATCH", "/collections/{collection_name}")], &["qdrant.Collections/Update"]),
    call(READ, &[("GET", "/collections/{collection_name}/exists")], &["qdrant.Collections/CollectionExists"]),
    call(READ, &[("GET", "/collections/{collection_name}/optimizations"), ("GET", "/collections/{collection_name}/memory")], &[]),
    call(MANAGE, &[("POST", "/collections/aliases")], &["qdrant.Collections/UpdateAliases"]),
    call(READ, &[("GET", "/collections/{collection_name}/aliases")], &["qdrant.Collections/ListCollectionAliases"]),
    call(Needs::Key, &[("GET", "/aliases")], &["qdrant.Collections/ListAliases"]),
    // Clusters
    call(READ, &[("GET", "/collections/{collection_name}/cluster")], &["qdrant.Collections/CollectionClusterInfo"]),
    call(MANAGE, &[("POST", "/collections/{collection_name}/cluster")], &["qdrant.Collections/UpdateCollectionClusterSetup"]),
    call(READ, &[("GET", "/collections/{collection_name}/shards")], &["qdrant.Collections/ListShardKeys"]),
    call(MANAGE, &[("PUT", "/collections/{collection_name}/shards")], &["qdrant.Collections/CreateShardKey"]),
    call(MANAGE, &[("POST", "/collections/{collection_name}/shards/delete")], &["qdrant.Collections/DeleteShardKey"]),
    call(READ_ALL, &[("GET", "/cluster"), ("GET", "/cluster/telemetry")], &[]),
    call(READ_ALL, &[("GET", "/cluster/metadata/keys"), ("GET", "/cluster/metadata/keys/{key}")], &[]),
    call(MANAGE, &[("PUT", "/cluster/metadata/keys/{key}"), ("DELETE", "/cluster/metadata/keys/{key}")], &[]),
    call(MANAGE, &[("POST", "/cluster/recover"), ("DELETE", "/cluster/peer/{peer_id}")], &[]),
    // Indexes and named vectors
    call(WRITE, &[("PUT", "/collections/{collection_name}/index")], &["qdrant.Points/CreateFieldIndex"]),
    call(WRITE, &[("DELETE", "/collections/{collection_name}/index/{field_name}")], &["qdrant.Points/DeleteFieldIndex"]),
    call(WRITE, &[("PUT", "/collections/{collection_name}/vectors/{vector_name}")], &["qdrant.Points/CreateVectorName"]),
    call(WRITE, &[("DELETE", "/collections/{collection_name}/vectors/{vector_name}")], &["qdrant.Points/DeleteVectorName"]),
    // Snapshots
    call(READ, &[("GET", "/collections/{collection_name}/snapshots")], &["qdrant.Snapshots/List"]),
    call(WRITE, &[("POST", "/collections/{collection_name}/snapshots")], &["qdrant.Snapshots/Create"]),
    call(WRITE, &[("DELETE", "/collections/{collection_name}/snapshots/{snapshot_name}")], &["qdrant.Snapshots/Delete"]),
    call(READ, &[("GET", "/collections/{collection_name}/snapshots/{snapshot_name}")], &[]),
    call(MANAGE, &[("POST", "/collections/{collection_name}/snapshots/upload")], &[]),
    call(MANAGE, &[("PUT", "/collections/{collection_name}/snapshots/recover")], &[]),
    call(READ, &[("GET", "/collections/{collection_name}/shards/{shard_id}/snapshots")], &[]),
    call(WRITE, &[("POST", "/collections/{collection_name}/shards/{shard_id}/snapshots")], &[]),
    call(WRITE, &[("DELETE", "/collections/{collection_name}/shards/{shard_id}/snapshots/{snapshot_name}")], &[]),
    call(READ, &[("GET", "/collections/{collection_name}/shards/{shard_id}/snapshots/{snapshot_name}")], &[]),
    call(MANAGE, &[("POST", "/collections/{collection_name}/shards/{shard_id}/snapshots/upload")], &[]),
    call(MANAGE, &[("PUT", "/collections/{collection_name}/shards/{shard_id}/snapshots/recover")], &[]),
    call(WRITE, &[("GET", "/collections/{collection_name}/shards/{shard_id}/snapshot")], &[]),
    call(WRITE, &[("GET", "/collections/{collection_name}/shards/{shard_id}/snapshot/partial/manifest"), ("POST", "/collections/{collection_name}/shards/{shard_id}/snapshot/partial/create")], &[]),
    call(MANAGE, &[("POST", "/collections/{collection_name}/shards/{shard_id}/snapshot/partial/recover"), ("POST", "/collections/{collection_name}/shards/{shard_id}/snapshot/partial/recover_from")], &[]),
    call(READ_ALL, &[("GET", "/snapshots")], &["qdrant.Snapshots/ListFull"]),
    call(MANAGE, &[("POST", "/snapshots")], &["qdrant.Snapshots/CreateFull"]),
    call(MANAGE, &[("DELETE", "/snapshots/{snapshot_name}")], &["qdrant.Snapshots/DeleteFull"]),
    call(READ_ALL, &[("GET", "/snapshots/{snapshot_name}")], &[]),
    // Writes of points
    call(WRITE_POINTS, &[("PUT", "/collections/{collection_name}/points")], &["qdrant.Points/Upsert"]),
    call(WRITE_POINTS, &[("POST", "/collections/{collection_name}/points/batch")], &["qdrant.Points/UpdateBatch"]),
    call(WRITE_POINTS, &[("POST", "/collections/{collection_name}/points/delete")], &["qdrant.Points/Delete"]),
    call(WRITE_POINTS, &[("PUT", "/collections/{collection_name}/points/vectors")], &["qdrant.Points/UpdateVectors"]),
    call(WRITE_POINTS, &[("POST", "/collections/{collection_name}/points/vectors/delete")], &["qdrant.Points/DeleteVectors"]),
    call(WRITE_POINTS, &[("POST", "/collections/{collection_name}/points/payload")], &["qdrant.Points/SetPayload"]),
    call(WRITE_POINTS, &[("PUT", "/collections/{collection_name}/points/payload")], &["qdrant.Points/OverwritePayload"]),
    call(WRITE_POINTS, &[("POST", "/collections/{collection_name}/points/payload/delete")], &["qdrant.Points/DeletePayload"]),
    call(WRITE_POINTS, &[("POST", "/collections/{collection_name}/points/payload/clear")], &["qdrant.Points/ClearPayload"]),
    // Reads of points
    call(READ, &[("GET", "/collections/{collection_name}/points/{id}")], &[]),
    call(READ, &[("POST", "/collections/{collection_name}/points")], &["qdrant.Points/Get"]),
    call(READ, &[("POST", "/collections/{collection_name}/points/scroll")], &["qdrant.Points/Scroll"]),
    call(READ, &[("POST", "/collections/{collection_name}/points/count")], &["qdrant.Points/Count"]),
    call(READ, &[("POST", "/collections/{collection_name}/facet")], &["qdrant.Points/Facet"]),
    call(READ, &[("POST", "/collections/{collection_name}/points/query")], &["qdrant.Points/Query"]),
    call(READ, &[("POST", "/collections/{collection_name}/points/query/batch")], &["qdrant.Points/QueryBatch"]),
    call(READ, &[("POST", "/collections/{collection_name}/points/query/groups")], &["qdrant.Points/QueryGroups"]),
    call(READ, &[("POST", "/collections/{collection_name}/points/search")], &["qdrant.Points/Search"]),
    call(READ, &[("POST", "/collections/{collection_name}/points/search/batch")], &["qdrant.Points/SearchBatch"]),
    call(READ, &[("POST", "/collections/{collection_name}/points/search/groups")], &["qdrant.Points/SearchGroups"]),
    call(READ, &[("POST", "/collections/{collection_name}/points/search/matrix/pairs")], &["qdrant.Points/SearchMatrixPairs"]),
    call(READ, &[("POST", "/collections/{collection_name}/points/search/matrix/offsets")], &["qdrant.Points/SearchMatrixOffsets"]),
    call(READ, &[("POST", "/collections/{collection_name}/points/recommend")], &["qdrant.Points/Recommend"]),
    call(READ, &[("POST", "/collections/{collection_name}/points/recommend/batch")], &["qdrant.Points/RecommendBatch"]),
    call(READ, &[("POST", "/collections/{collection_name}/points/recommend/groups")], &["qdrant.Points/RecommendGroups"]),
    call(READ, &[("POST", "/collections/{collection_name}/points/discover")], &["qdrant.Points/Discover"]),
    call(READ, &[("POST", "/collections/{collection_name}/points/discover/batch")], &["qdrant.Points/DiscoverBatch"]),
    // The node
    call(Needs::Nothing, &[("GET", "/")], &["qdrant.Qdrant/HealthCheck"]),
    call(Needs::Nothing, &[("GET", "/healthz"), ("GET", "/livez"), ("GET", "/readyz")], &["grpc.health.v1.Health/Check", "grpc.health.v1.Health/Watch", "grpc.health.v1.Health/List"]),
    call(Needs::Nothing, &[("GET", "/dashboard"), ("GET", "/dashboard/{file}")], &[]),
    call(Needs::Key, &[], &["grpc.reflection.v1.ServerReflection/ServerReflectionInfo", "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"]),
    call(READ_ALL, &[("GET", "/telemetry"), ("GET", "/metrics")], &[]),
    call(READ_ALL, &[("GET", "/quotas")], &[]),
    call(MANAGE, &[("PUT", "/quotas")], &[]),
    call(Needs::Key, &[("GET", "/issues")], &[]),
    call(MANAGE, &[("DELETE", "/issues")], &[]),
    // What there is not
    call(Needs::Key, &[("GET", "/logger"), ("GET", "/debugger"), ("GET", "/stacktrace"), ("GET", "/profiler/slow_requests")], &[]),
    call(MANAGE, &[("POST", "/logger"), ("PATCH", "/debugger"), ("POST", "/audit/logs"), ("POST", "/collections/{collection_name}/truncate_unapplied_wal")], &[]),
    call(READ, &[("POST", "/collections/{collection_name}/shards/{shard_id}/points")], &[]),
    call(READ, &[("POST", "/collections/{collection_name}/shards/{shard_id}/points/scroll"), ("POST", "/collections/{collection_name}/shards/{shard_id}/points/count")], &[]),
];

static BY_ROUTE: LazyLock<HashMap<(&str, &str), Needs>> = LazyLock::new(|| {
    let rows = CALLS
        .iter()
        .flat_map(|call| call.rest.iter().map(|&key| (key, call.needs)));
    rows.collect()
});

static BY_METHOD: LazyLock<HashMap<&str, Needs>> = LazyLock::new(|| {
    let rows = CALLS
        .iter()
        .flat_map(|call| call.grpc.iter().map(|&key| (key, call.needs)));
    rows.collect()
});

/// What a call of REST needs, by its method and the route that it matched.
pub(crate) fn of_route(method: &str, route: &str) -> Needs {
    let method = if method == "HEAD" { "GET" } else { method };
    BY_ROUTE.get(&(method, route)).copied().unwrap_or(MANAGE)
}

/// What a call of gRPC needs, by its path.
pub(crate) fn of_method(path: &str) -> Needs {
    method(path).unwrap_or(MANAGE)
}

/// Whether there is a call of gRPC of this path.
pub(crate) fn is_method(path: &str) -> bool {
    method(path).is_some()
}

fn method(path: &str) -> Option<Needs> {
    let method = path.strip_prefix('/').unwrap_or(path);
    BY_METHOD.get(method).copied()
}

#[cfg(test)]
mod tests;
