//! Which collection a message is about.

use qdrant_client::qdrant as proto;

/// The collection that an answer is about, for whoever counts answers.
#[derive(Clone, Debug)]
pub(super) struct Subject(pub(super) String);

/// A message that may be about a collection.
pub(super) trait About {
    /// The name that it says, if it is.
    fn collection(&self) -> Option<&str>;
}

macro_rules! about_collections {
    ($($message:ident),+ $(,)?) => {
        $(impl About for proto::$message {
            fn collection(&self) -> Option<&str> {
                Some(&self.collection_name)
            }
        })+
    };
}

macro_rules! about_everything {
    ($($message:ident),+ $(,)?) => {
        $(impl About for proto::$message {
            fn collection(&self) -> Option<&str> {
                None
            }
        })+
    };
}

about_everything!(
    ChangeAliases,
    CreateFullSnapshotRequest,
    DeleteFullSnapshotRequest,
    HealthCheckRequest,
    ListAliasesRequest,
    ListCollectionsRequest,
    ListFullSnapshotsRequest,
);

about_collections!(
    ClearPayloadPoints,
    CollectionClusterInfoRequest,
    CollectionExistsRequest,
    CountPoints,
    CreateCollection,
    CreateFieldIndexCollection,
    CreateShardKeyRequest,
    CreateSnapshotRequest,
    CreateVectorNameRequest,
    DeleteCollection,
    DeleteFieldIndexCollection,
    DeletePayloadPoints,
    DeletePointVectors,
    DeletePoints,
    DeleteShardKeyRequest,
    DeleteSnapshotRequest,
    DeleteVectorNameRequest,
    DiscoverBatchPoints,
    DiscoverPoints,
    FacetCounts,
    GetCollectionInfoRequest,
    GetPoints,
    ListCollectionAliasesRequest,
    ListShardKeysRequest,
    ListSnapshotsRequest,
    QueryBatchPoints,
    QueryPointGroups,
    QueryPoints,
    RecommendBatchPoints,
    RecommendPointGroups,
    RecommendPoints,
    ScrollPoints,
    SearchBatchPoints,
    SearchMatrixPoints,
    SearchPointGroups,
    SearchPoints,
    SetPayloadPoints,
    UpdateBatchPoints,
    UpdateCollection,
    UpdateCollectionClusterSetupRequest,
    UpdatePointVectors,
    UpsertPoints,
);
