//! The calls that are made, of any client.

use qdrant_client::qdrant as proto;
use vdb::Database;
use vdb_qdrant::Qdrant;
use vdb_qdrant::client::QdrantResult;

/// A place of collections: what a migration asks of either side.
pub trait Store: Send + Sync + 'static {
    /// What it is called in messages.
    fn shown(&self) -> String;

    /// The engine, where the data are in this process.
    fn database(&self) -> Option<&Database>;

    /// What the other side is, and which version of Qdrant it answers as.
    fn health_check(&self) -> impl Future<Output = QdrantResult<proto::HealthCheckReply>> + Send;

    /// Names of all collections.
    fn list_collections(&self) -> impl Future<Output = QdrantResult<proto::ListCollectionsResponse>> + Send;

    /// All aliases.
    fn list_aliases(&self) -> impl Future<Output = QdrantResult<proto::ListAliasesResponse>> + Send;

    /// Makes an alias, or points one that is there at another collection.
    fn create_alias(
        &self,
        request: proto::CreateAlias,
    ) -> impl Future<Output = QdrantResult<proto::CollectionOperationResponse>> + Send;

    /// What is told of a collection.
    fn collection_info(
        &self,
        collection: &str,
    ) -> impl Future<Output = QdrantResult<proto::GetCollectionInfoResponse>> + Send;

    /// Makes a collection.
    fn create_collection(
        &self,
        request: proto::CreateCollection,
    ) -> impl Future<Output = QdrantResult<proto::CollectionOperationResponse>> + Send;

    /// Changes settings of a collection.
    fn update_collection(
        &self,
        request: proto::UpdateCollection,
    ) -> impl Future<Output = QdrantResult<proto::CollectionOperationResponse>> + Send;

    /// Drops a collection.
    fn delete_collection(
        &self,
        collection: &str,
    ) -> impl Future<Output = QdrantResult<proto::CollectionOperationResponse>> + Send;

    /// Indexes a payload path.
    fn create_field_index(
        &self,
        request: proto::CreateFieldIndexCollection,
    ) -> impl Future<Output = QdrantResult<proto::PointsOperationResponse>> + Send;

    /// How many points match.
    fn count(
        &self,
        request: proto::CountPoints,
    ) -> impl Future<Output = QdrantResult<proto::CountResponse>> + Send;

    /// A page of points.
    fn scroll(
        &self,
        request: proto::ScrollPoints,
    ) -> impl Future<Output = QdrantResult<proto::ScrollResponse>> + Send;

    /// Writes whole points.
    fn upsert(
        &self,
        request: proto::UpsertPoints,
    ) -> impl Future<Output = QdrantResult<proto::PointsOperationResponse>> + Send;

    /// Deletes points.
    fn delete_points(
        &self,
        request: proto::DeletePoints,
    ) -> impl Future<Output = QdrantResult<proto::PointsOperationResponse>> + Send;
}

impl Store for Qdrant {
    fn shown(&self) -> String {
        self.back_end().to_string()
    }

    fn database(&self) -> Option<&Database> {
        Qdrant::database(self)
    }

    async fn health_check(&self) -> QdrantResult<proto::HealthCheckReply> {
        Qdrant::health_check(self).await
    }

    async fn list_collections(&self) -> QdrantResult<proto::ListCollectionsResponse> {
        Qdrant::list_collections(self).await
    }

    async fn list_aliases(&self) -> QdrantResult<proto::ListAliasesResponse> {
        Qdrant::list_aliases(self).await
    }

    async fn create_alias(
        &self,
        request: proto::CreateAlias,
    ) -> QdrantResult<proto::CollectionOperationResponse> {
        Qdrant::create_alias(self, request).await
    }

    async fn collection_info(&self, collection: &str) -> QdrantResult<proto::GetCollectionInfoResponse> {
        Qdrant::collection_info(self, collection).await
    }

    async fn create_collection(
        &self,
        request: proto::CreateCollection,
    ) -> QdrantResult<proto::CollectionOperationResponse> {
        Qdrant::create_collection(self, request).await
    }

    async fn update_collection(
        &self,
        request: proto::UpdateCollection,
    ) -> QdrantResult<proto::CollectionOperationResponse> {
        Qdrant::update_collection(self, request).await
    }

    async fn delete_collection(&self, collection: &str) -> QdrantResult<proto::CollectionOperationResponse> {
        Qdrant::delete_collection(self, collection).await
    }

    async fn create_field_index(
        &self,
        request: proto::CreateFieldIndexCollection,
    ) -> QdrantResult<proto::PointsOperationResponse> {
        Qdrant::create_field_index(self, request).await
    }

    async fn count(&self, request: proto::CountPoints) -> QdrantResult<proto::CountResponse> {
        Qdrant::count(self, request).await
    }

    async fn scroll(&self, request: proto::ScrollPoints) -> QdrantResult<proto::ScrollResponse> {
        Qdrant::scroll(self, request).await
    }

    async fn upsert(&self, request: proto::UpsertPoints) -> QdrantResult<proto::PointsOperationResponse> {
        Qdrant::upsert_points(self, request).await
    }

    async fn delete_points(
        &self,
        request: proto::DeletePoints,
    ) -> QdrantResult<proto::PointsOperationResponse> {
        Qdrant::delete_points(self, request).await
    }
}
