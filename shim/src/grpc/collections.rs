//! Collections and aliases.

use qdrant_client::qdrant as proto;
use qdrant_client::qdrant::collections_server::Collections;
use tonic::Status;

use super::call::{Clock, OnBehalf, serve_by_methods};
use super::convert::collections as convert;
use super::convert::collections::{aliases, describe};
use super::convert::points;
use crate::service::{Caller, Service, ServiceError};

type Answer<T> = Result<T, Status>;

/// Answers calls about collections and aliases.
#[derive(Clone, Debug)]
pub(crate) struct CollectionCalls(pub(super) Service);

impl OnBehalf for CollectionCalls {
    fn on_behalf_of(&self, caller: &Caller) -> Self {
        CollectionCalls(self.0.on_behalf_of(caller))
    }
}

serve_by_methods! { Collections for CollectionCalls:
    get(GetCollectionInfoRequest) -> GetCollectionInfoResponse;
    list(ListCollectionsRequest) -> ListCollectionsResponse;
    create(CreateCollection) -> CollectionOperationResponse;
    update(UpdateCollection) -> CollectionOperationResponse;
    delete(DeleteCollection) -> CollectionOperationResponse;
    update_aliases(ChangeAliases) -> CollectionOperationResponse;
    list_collection_aliases(ListCollectionAliasesRequest) -> ListAliasesResponse;
    list_aliases(ListAliasesRequest) -> ListAliasesResponse;
    collection_cluster_info(CollectionClusterInfoRequest) -> CollectionClusterInfoResponse;
    collection_exists(CollectionExistsRequest) -> CollectionExistsResponse;
    update_collection_cluster_setup(UpdateCollectionClusterSetupRequest) -> UpdateCollectionClusterSetupResponse;
    create_shard_key(CreateShardKeyRequest) -> CreateShardKeyResponse;
    delete_shard_key(DeleteShardKeyRequest) -> DeleteShardKeyResponse;
    list_shard_keys(ListShardKeysRequest) -> ListShardKeysResponse;
}

impl CollectionCalls {
    /// What is told of a collection.
    pub(crate) async fn get(
        &self,
        message: proto::GetCollectionInfoRequest,
    ) -> Answer<proto::GetCollectionInfoResponse> {
        let clock = Clock::start();
        let description = self.0.collection_info(&message.collection_name).await?;
        Ok(proto::GetCollectionInfoResponse {
            result: Some(describe::to_proto(description)),
            time: clock.seconds(),
        })
    }

    /// Names of all collections.
    pub(crate) async fn list(
        &self,
        _: proto::ListCollectionsRequest,
    ) -> Answer<proto::ListCollectionsResponse> {
        let clock = Clock::start();
        let names = self.0.list_collections().await?.into_iter();
        Ok(proto::ListCollectionsResponse {
            collections: names.map(|name| proto::CollectionDescription { name }).collect(),
            time: clock.seconds(),
        })
    }

    /// Creates a collection.
    pub(crate) async fn create(
        &self,
        message: proto::CreateCollection,
    ) -> Answer<proto::CollectionOperationResponse> {
        let clock = Clock::start();
        let name = message.collection_name.clone();
        let settings = convert::create(message)?;
        let result = self.0.create_collection(&name, settings).await?;
        Ok(done(result, clock))
    }

    /// Changes settings of a collection.
    pub(crate) async fn update(
        &self,
        message: proto::UpdateCollection,
    ) -> Answer<proto::CollectionOperationResponse> {
        let clock = Clock::start();
        let name = message.collection_name.clone();
        let update = convert::update(message)?;
        let result = self.0.update_collection(&name, update).await?;
        Ok(done(result, clock))
    }

    /// Drops a collection.
    pub(crate) async fn delete(
        &self,
        message: proto::DeleteCollection,
    ) -> Answer<proto::CollectionOperationResponse> {
        let clock = Clock::start();
        let proto::DeleteCollection {
            collection_name,
            timeout,
        } = message;
        // It is dropped in one step, which takes no time that could be limited.
        points::timeout(timeout)?;
        let result = self.0.delete_collection(&collection_name).await?;
        Ok(done(result, clock))
    }

    /// Changes aliases.
    pub(crate) async fn update_aliases(
        &self,
        message: proto::ChangeAliases,
    ) -> Answer<proto::CollectionOperationResponse> {
        let clock = Clock::start();
        let proto::ChangeAliases { actions, timeout } = message;
        points::timeout(timeout)?;
        let result = self.0.update_aliases(aliases::changes(actions)?).await?;
        Ok(done(result, clock))
    }

    /// The aliases of one collection.
    pub(crate) async fn list_collection_aliases(
        &self,
        message: proto::ListCollectionAliasesRequest,
    ) -> Answer<proto::ListAliasesResponse> {
        let clock = Clock::start();
        let collection = message.collection_name;
        let aliases = self.0.collection_aliases(&collection).await?.into_iter();
        Ok(proto::ListAliasesResponse {
            aliases: aliases
                .map(|alias| aliases::to_proto((alias, collection.clone())))
                .collect(),
            time: clock.seconds(),
        })
    }

    /// All aliases.
    pub(crate) async fn list_aliases(
        &self,
        _: proto::ListAliasesRequest,
    ) -> Answer<proto::ListAliasesResponse> {
        let clock = Clock::start();
        let aliases = self.0.list_aliases().await?.into_iter();
        Ok(proto::ListAliasesResponse {
            aliases: aliases.map(aliases::to_proto).collect(),
            time: clock.seconds(),
        })
    }

    /// Whether a collection exists.
    pub(crate) async fn collection_exists(
        &self,
        message: proto::CollectionExistsRequest,
    ) -> Answer<proto::CollectionExistsResponse> {
        let clock = Clock::start();
        let exists = self.0.collection_exists(&message.collection_name).await?;
        Ok(proto::CollectionExistsResponse {
            result: Some(proto::CollectionExists { exists }),
            time: clock.seconds(),
        })
    }

    /// Where the shards of a collection are: its only one is here.
    pub(crate) async fn collection_cluster_info(
        &self,
        message: proto::CollectionClusterInfoRequest,
    ) -> Answer<proto::CollectionClusterInfoResponse> {
        let clock = Clock::start();
        let info = self.0.engine_info(&message.collection_name).await?;
        let shard = proto::LocalShardInfo {
            shard_id: 0,
            points_count: info.points,
            state: proto::ReplicaState::Active.into(),
            shard_key: None,
        };
        Ok(proto::CollectionClusterInfoResponse {
            peer_id: self.0.peer_id(),
            shard_count: 1,
            local_shards: vec![shard],
            remote_shards: Vec::new(),
            shard_transfers: Vec::new(),
            resharding_operations: Vec::new(),
            time: clock.seconds(),
        })
    }

    /// Refuses: there is no cluster.
    pub(crate) async fn update_collection_cluster_setup(
        &self,
        _: proto::UpdateCollectionClusterSetupRequest,
    ) -> Answer<proto::UpdateCollectionClusterSetupResponse> {
        Err(ServiceError::standalone().into())
    }

    /// Refuses: shards have keys in clusters only.
    pub(crate) async fn create_shard_key(
        &self,
        _: proto::CreateShardKeyRequest,
    ) -> Answer<proto::CreateShardKeyResponse> {
        Err(ServiceError::standalone().into())
    }

    /// Refuses: shards have keys in clusters only.
    pub(crate) async fn delete_shard_key(
        &self,
        _: proto::DeleteShardKeyRequest,
    ) -> Answer<proto::DeleteShardKeyResponse> {
        Err(ServiceError::standalone().into())
    }

    /// The keys of shards: there are none.
    pub(crate) async fn list_shard_keys(
        &self,
        message: proto::ListShardKeysRequest,
    ) -> Answer<proto::ListShardKeysResponse> {
        let clock = Clock::start();
        if !self.0.collection_exists(&message.collection_name).await? {
            return Err(ServiceError::no_collection(&message.collection_name).into());
        }
        Ok(proto::ListShardKeysResponse {
            shard_keys: Vec::new(),
            time: clock.seconds(),
        })
    }
}

fn done(result: bool, clock: Clock) -> proto::CollectionOperationResponse {
    proto::CollectionOperationResponse {
        result,
        time: clock.seconds(),
    }
}
