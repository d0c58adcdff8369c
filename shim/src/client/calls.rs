//! The list of the calls, and the methods made of it.
//!
//! Names, arguments and answers are those of the official client.

use qdrant_client::qdrant as proto;

use super::{Call, Inner, Qdrant, QdrantError, QdrantResult};

/// Hands the list of the calls that take a message and give one to a macro: `documentation, name(message) -> answer, part of
/// the interface, its call`.
macro_rules! every_call {
    ($make:ident) => {
        $make! {
            /// Creates a collection.
            create_collection(CreateCollection) -> CollectionOperationResponse, collections.create;
            /// What is told of a collection.
            collection_info(GetCollectionInfoRequest) -> GetCollectionInfoResponse, collections.get;
            /// Changes settings of a collection.
            update_collection(UpdateCollection) -> CollectionOperationResponse, collections.update;
            /// Drops a collection.
            delete_collection(DeleteCollection) -> CollectionOperationResponse, collections.delete;
            /// The aliases of a collection.
            list_collection_aliases(ListCollectionAliasesRequest) -> ListAliasesResponse,
                collections.list_collection_aliases;
            /// Where the shards of a collection are.
            collection_cluster_info(CollectionClusterInfoRequest) -> CollectionClusterInfoResponse,
                collections.collection_cluster_info;
            /// Moves shards about; only a cluster has where to.
            update_collection_cluster_setup(UpdateCollectionClusterSetupRequest) -> UpdateCollectionClusterSetupResponse,
                collections.update_collection_cluster_setup;
            /// Creates a key of shards; only a cluster has such.
            create_shard_key(CreateShardKeyRequest) -> CreateShardKeyResponse, collections.create_shard_key;
            /// Removes a key of shards; only a cluster has such.
            delete_shard_key(DeleteShardKeyRequest) -> DeleteShardKeyResponse, collections.delete_shard_key;
            /// The keys of the shards of a collection.
            list_shard_keys(ListShardKeysRequest) -> ListShardKeysResponse, collections.list_shard_keys;
            /// Writes whole points.
            upsert_points(UpsertPoints) -> PointsOperationResponse, points.upsert;
            /// Points by id.
            get_points(GetPoints) -> GetResponse, points.get;
            /// A page of points.
            scroll(ScrollPoints) -> ScrollResponse, points.scroll;
            /// How many points match.
            count(CountPoints) -> CountResponse, points.count;
            /// Carries out operations in order, each on its own: what came before one that fails stays.
            update_points_batch(UpdateBatchPoints) -> UpdateBatchResponse, points.update_batch;
            /// Deletes points.
            delete_points(DeletePoints) -> PointsOperationResponse, points.delete;
            /// Replaces vectors of points.
            update_vectors(UpdatePointVectors) -> PointsOperationResponse, points.update_vectors;
            /// Removes vectors of points.
            delete_vectors(DeletePointVectors) -> PointsOperationResponse, points.delete_vectors;
            /// Adds a named vector to a collection.
            create_vector_name(CreateVectorNameRequest) -> PointsOperationResponse, points.create_vector_name;
            /// Drops a named vector of a collection.
            delete_vector_name(DeleteVectorNameRequest) -> PointsOperationResponse, points.delete_vector_name;
            /// How many points have which value.
            facet(FacetCounts) -> FacetResponse, points.facet;
            /// Which points of a sample are near each other, as pairs.
            search_matrix_pairs(SearchMatrixPoints) -> SearchMatrixPairsResponse, points.search_matrix_pairs;
            /// Which points of a sample are near each other, as places in a matrix.
            search_matrix_offsets(SearchMatrixPoints) -> SearchMatrixOffsetsResponse, points.search_matrix_offsets;
            /// Merges keys into payloads.
            set_payload(SetPayloadPoints) -> PointsOperationResponse, points.set_payload;
            /// Replaces payloads.
            overwrite_payload(SetPayloadPoints) -> PointsOperationResponse, points.overwrite_payload;
            /// Removes keys of payloads.
            delete_payload(DeletePayloadPoints) -> PointsOperationResponse, points.delete_payload;
            /// Removes payloads.
            clear_payload(ClearPayloadPoints) -> PointsOperationResponse, points.clear_payload;
            /// Indexes a payload path.
            create_field_index(CreateFieldIndexCollection) -> PointsOperationResponse, points.create_field_index;
            /// Drops the index of a payload path.
            delete_field_index(DeleteFieldIndexCollection) -> PointsOperationResponse, points.delete_field_index;
            /// The points that a query asks for.
            query(QueryPoints) -> QueryResponse, points.query;
            /// The points that several queries ask for.
            query_batch(QueryBatchPoints) -> QueryBatchResponse, points.query_batch;
            /// The best points of each value of a field.
            query_groups(QueryPointGroups) -> QueryGroupsResponse, points.query_groups;
            /// The points nearest to a vector; [`query`](Self::query) does this and more.
            search_points(SearchPoints) -> SearchResponse, points.search;
            /// The points nearest to several vectors; [`query_batch`](Self::query_batch) does this and more.
            search_batch_points(SearchBatchPoints) -> SearchBatchResponse, points.search_batch;
            /// The points nearest to a vector, by groups; [`query_groups`](Self::query_groups) does this and more.
            search_groups(SearchPointGroups) -> SearchGroupsResponse, points.search_groups;
            /// Points like some and unlike others; [`query`](Self::query) does this and more.
            recommend(RecommendPoints) -> RecommendResponse, points.recommend;
            /// Several recommendations; [`query_batch`](Self::query_batch) does this and more.
            recommend_batch(RecommendBatchPoints) -> RecommendBatchResponse, points.recommend_batch;
            /// A recommendation by groups; [`query_groups`](Self::query_groups) does this and more.
            recommend_groups(RecommendPointGroups) -> RecommendGroupsResponse, points.recommend_groups;
            /// Points on the right side of pairs; [`query`](Self::query) does this and more.
            discover(DiscoverPoints) -> DiscoverResponse, points.discover;
            /// Takes a snapshot of a collection.
            create_snapshot(CreateSnapshotRequest) -> CreateSnapshotResponse, snapshots.create;
            /// The snapshots of a collection.
            list_snapshots(ListSnapshotsRequest) -> ListSnapshotsResponse, snapshots.list;
            /// Removes a snapshot of a collection.
            delete_snapshot(DeleteSnapshotRequest) -> DeleteSnapshotResponse, snapshots.delete;
            /// Removes a snapshot of everything.
            delete_full_snapshot(DeleteFullSnapshotRequest) -> DeleteSnapshotResponse, snapshots.delete_full;
        }
    };
}

/// Hands the list of the calls that take nothing to a macro.
macro_rules! every_bare_call {
    ($make:ident) => {
        $make! {
            /// Names of all collections.
            list_collections(ListCollectionsRequest) -> ListCollectionsResponse, collections.list;
            /// All aliases.
            list_aliases(ListAliasesRequest) -> ListAliasesResponse, collections.list_aliases;
            /// Takes a snapshot of everything.
            create_full_snapshot(CreateFullSnapshotRequest) -> CreateSnapshotResponse, snapshots.create_full;
            /// The snapshots of everything.
            list_full_snapshots(ListFullSnapshotsRequest) -> ListSnapshotsResponse, snapshots.list_full;
            /// What the server is, and which version of Qdrant it answers as.
            health_check(HealthCheckRequest) -> HealthCheckReply, server.health_check;
        }
    };
}

/// Hands the list of the changes of one alias to a macro; the wire has one call for them all.
macro_rules! every_alias_call {
    ($make:ident) => {
        $make! {
            /// Gives a collection another name.
            create_alias(CreateAlias), CreateAlias;
            /// Gives an alias another name.
            rename_alias(RenameAlias), RenameAlias;
            /// Removes an alias.
            delete_alias(DeleteAlias), DeleteAlias;
        }
    };
}

pub(super) use {every_alias_call, every_bare_call, every_call};

macro_rules! methods {
    ($($(#[$doc:meta])+ $name:ident($message:ident) -> $answer:ident, $part:ident.$call:ident;)+) => {
        impl Qdrant {
            $($(#[$doc])+
            ///
            /// # Errors
            /// What the server, or the engine in its place, says.
            pub async fn $name(&self, request: impl Into<proto::$message>) -> QdrantResult<proto::$answer> {
                fn call(client: &Qdrant, request: proto::$message) -> Call<'_, proto::$answer> {
                    Box::pin(async move {
                        match &client.inner {
                            Inner::Embedded(embedded) => {
                                embedded.call(|api| async move { api.$part.$call(request).await }).await
                            }
                            Inner::Remote(client) => client.$name(request).await,
                        }
                    })
                }
                call(self, request.into()).await
            })+
        }
    };
}

every_call!(methods);

macro_rules! bare_methods {
    ($($(#[$doc:meta])+ $name:ident($message:ident) -> $answer:ident, $part:ident.$call:ident;)+) => {
        impl Qdrant {
            $($(#[$doc])+
            ///
            /// # Errors
            /// What the server, or the engine in its place, says.
            pub async fn $name(&self) -> QdrantResult<proto::$answer> {
                fn call(client: &Qdrant) -> Call<'_, proto::$answer> {
                    Box::pin(async move {
                        match &client.inner {
                            Inner::Embedded(embedded) => {
                                embedded.call(|api| async move { api.$part.$call(proto::$message {}).await }).await
                            }
                            Inner::Remote(client) => client.$name().await,
                        }
                    })
                }
                call(self).await
            })+
        }
    };
}

every_bare_call!(bare_methods);

macro_rules! alias_methods {
    ($($(#[$doc:meta])+ $name:ident($message:ident), $action:ident;)+) => {
        impl Qdrant {
            $($(#[$doc])+
            ///
            /// # Errors
            /// What the server, or the engine in its place, says.
            pub async fn $name(
                &self,
                request: impl Into<proto::$message>,
            ) -> QdrantResult<proto::CollectionOperationResponse> {
                fn call(client: &Qdrant, request: proto::$message) -> Call<'_, proto::CollectionOperationResponse> {
                    Box::pin(async move {
                        let action = proto::alias_operations::Action::$action(request.clone());
                        let changes = proto::ChangeAliases {
                            actions: vec![proto::AliasOperations { action: Some(action) }],
                            timeout: None,
                        };
                        match &client.inner {
                            Inner::Embedded(embedded) => {
                                embedded.call(|api| async move { api.collections.update_aliases(changes).await }).await
                            }
                            Inner::Remote(client) => client.$name(request).await,
                        }
                    })
                }
                call(self, request.into()).await
            })+
        }
    };
}

every_alias_call!(alias_methods);

impl Qdrant {
    /// Whether a collection exists.
    ///
    /// # Errors
    /// What the server, or the engine in its place, says.
    pub async fn collection_exists(
        &self,
        request: impl Into<proto::CollectionExistsRequest>,
    ) -> QdrantResult<bool> {
        fn call(client: &Qdrant, request: proto::CollectionExistsRequest) -> Call<'_, bool> {
            Box::pin(async move {
                match &client.inner {
                    Inner::Embedded(embedded) => {
                        let answer = embedded
                            .call(|api| async move { api.collections.collection_exists(request).await })
                            .await?;
                        Ok(answer.result.is_some_and(|result| result.exists))
                    }
                    Inner::Remote(client) => client.collection_exists(request).await,
                }
            })
        }
        call(self, request.into()).await
    }

    /// Several discoveries; [`query_batch`](Self::query_batch) does this and more.
    ///
    /// # Errors
    /// What the server, or the engine in its place, says.
    pub async fn discover_batch(
        &self,
        request: &proto::DiscoverBatchPoints,
    ) -> QdrantResult<proto::DiscoverBatchResponse> {
        let call: Call<'_, _> = match &self.inner {
            Inner::Embedded(embedded) => {
                let request = request.clone();
                Box::pin(embedded.call(|api| async move { api.points.discover_batch(request).await }))
            }
            Inner::Remote(client) => Box::pin(client.discover_batch(request)),
        };
        call.await
    }

    /// Writes whole points, `chunk_size` a call. What was written before a call that fails stays. The answer is that of the
    /// last call, with the time of all.
    ///
    /// # Errors
    /// What the server, or the engine in its place, says; a `chunk_size` of 0 is refused.
    pub async fn upsert_points_chunked(
        &self,
        request: impl Into<proto::UpsertPoints>,
        chunk_size: usize,
    ) -> QdrantResult<proto::PointsOperationResponse> {
        let mut request = request.into();
        if chunk_size == 0 {
            return Err(QdrantError::ConversionError(
                "the chunk size must be at least 1".to_owned(),
            ));
        }
        let mut time = 0.0;
        let mut rest = std::mem::take(&mut request.points);
        loop {
            let later = rest.split_off(rest.len().min(chunk_size));
            let chunk = proto::UpsertPoints {
                points: std::mem::replace(&mut rest, later),
                ..request.clone()
            };
            let answer = self.upsert_points(chunk).await?;
            time += answer.time;
            if rest.is_empty() {
                return Ok(proto::PointsOperationResponse { time, ..answer });
            }
        }
    }

    /// Copies the file of a snapshot of a collection to `out_path`, in the place of what may be there: that of the name, else the
    /// first that is listed. Only for an engine in this process: a server gives files over its REST interface alone, at
    /// `/collections/{name}/snapshots/{snapshot}`.
    ///
    /// # Errors
    /// [`QdrantError::NoSnapshotFound`] when there is none; [`QdrantError::Io`] when it cannot be written, and for a server.
    pub async fn download_snapshot(&self, download: impl Into<proto::SnapshotDownload>) -> QdrantResult<()> {
        let download = download.into();
        match &self.inner {
            Inner::Embedded(embedded) => {
                let collection = download.collection_name;
                let name = match download.snapshot_name {
                    Some(name) => name,
                    None => {
                        let list = self
                            .list_snapshots(collection.clone())
                            .await?
                            .snapshot_descriptions;
                        let first = list.into_iter().next();
                        first
                            .ok_or_else(|| QdrantError::NoSnapshotFound(collection.clone()))?
                            .name
                    }
                };
                let path = embedded
                    .call(|api| async move { api.snapshots.path(&collection, &name).await })
                    .await?;
                let copied = embedded.call(move |_| async move {
                    let copy = tokio::task::spawn_blocking(move || std::fs::copy(path, download.out_path));
                    Ok(copy.await)
                });
                copied.await?.map_err(std::io::Error::other)??;
                Ok(())
            }
            Inner::Remote(_) => Err(QdrantError::Io(std::io::Error::new(
                std::io::ErrorKind::Unsupported,
                "a server gives snapshots over its REST interface alone: GET /collections/{name}/snapshots/{snapshot}",
            ))),
        }
    }

    /// A client that sends a header with every call to a server, for instance to trace it. In this process there is nobody who
    /// would read it.
    #[must_use]
    pub fn with_header(&self, key: impl Into<String>, value: impl Into<String>) -> Self {
        let inner = match &self.inner {
            Inner::Embedded(embedded) => Inner::Embedded(embedded.clone()),
            Inner::Remote(client) => Inner::Remote(Box::new(client.with_header(key, value))),
        };
        Qdrant {
            inner,
            back_end: self.back_end.clone(),
        }
    }
}
