//! Collections and aliases.

use qdrant_client::qdrant as proto;
use qdrant_client::qdrant::collections_server::Collections;
use tonic::Status;

use super::api::{Api, Clock, serve_by_methods};
use super::convert::collections as convert;
use super::convert::collections::{aliases, describe};
use crate::service::ServiceError;

type Answer<T> = Result<T, Status>;

serve_by_methods! { Collections:
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
