//! Which collection a message is about.

use qdrant_client::qdrant as proto;

/// A message that may name a collection.
pub(super) trait Names {
    /// The collection; `None` for messages about all of them, or about none.
    fn collection(&self) -> Option<&str>;
}

macro_rules! one {
    ($($message:ident),+ $(,)?) => {
        $(impl Names for proto::$message {
            fn collection(&self) -> Option<&str> {
                Some(&self.collection_name)
            }
        })+
    };
}

macro_rules! none {
    ($($message:ident),+ $(,)?) => {
        $(impl Names for proto::$message {
            fn collection(&self) -> Option<&str> {
                None
            }
        })+
    };
}

one!(
    GetCollectionInfoRequest,
    CreateCollection,
    UpdateCollection,
    DeleteCollection,
    ListCollectionAliasesRequest,
    CollectionClusterInfoRequest,
    CollectionExistsRequest,
    UpdateCollectionClusterSetupRequest,
    CreateShardKeyRequest,
    DeleteShardKeyRequest,
    ListShardKeysRequest,
);

one!(
    UpsertPoints,
    DeletePoints,
    GetPoints,
    UpdatePointVectors,
    DeletePointVectors,
    SetPayloadPoints,
    DeletePayloadPoints,
    ClearPayloadPoints,
    UpdateBatchPoints,
    CreateFieldIndexCollection,
    DeleteFieldIndexCollection,
    CreateVectorNameRequest,
    DeleteVectorNameRequest,
);

one!(
    ScrollPoints,
    CountPoints,
    FacetCounts,
    SearchMatrixPoints,
    QueryPoints,
    QueryBatchPoints,
    QueryPointGroups,
    SearchPoints,
    SearchBatchPoints,
    SearchPointGroups,
    RecommendPoints,
    RecommendBatchPoints,
    RecommendPointGroups,
    DiscoverPoints,
    DiscoverBatchPoints,
);

one!(CreateSnapshotRequest, ListSnapshotsRequest, DeleteSnapshotRequest);

none!(
    HealthCheckRequest,
    ListCollectionsRequest,
    ListAliasesRequest,
    ChangeAliases,
    CreateFullSnapshotRequest,
    ListFullSnapshotsRequest,
    DeleteFullSnapshotRequest,
);
