//! Writes of points, payload indexes, named vectors.

use qdrant_client::qdrant as proto;
use vdb::Operation;

use super::super::call::{Clock, write_options};
use super::super::convert::collections::vectors;
use super::super::convert::inference::Models;
use super::super::convert::points::{self as convert, Manner};
use super::super::convert::{cluster, indexes, results};
use super::{Answer, PointCalls};

impl PointCalls {
    async fn write(
        &self,
        clock: Clock,
        collection: &str,
        operation: Operation,
        manner: Manner,
    ) -> Answer<proto::PointsOperationResponse> {
        let result = self
            .0
            .update(collection, operation, write_options(manner))
            .await?;
        Ok(results::operation(result, clock.seconds()))
    }

    /// Writes whole points.
    pub(crate) async fn upsert(
        &self,
        message: proto::UpsertPoints,
    ) -> Answer<proto::PointsOperationResponse> {
        let clock = Clock::start();
        let proto::UpsertPoints {
            collection_name,
            wait,
            points,
            ordering,
            shard_key_selector,
            update_filter,
            timeout,
            update_mode,
        } = message;
        cluster::shard_key(shard_key_selector)?;
        let manner = convert::manner(wait, ordering, timeout)?;
        let read = move |points, models: &mut Models<'_>| {
            convert::upsert(points, update_filter, update_mode, models)
        };
        let operation = self.made(points, write_options(manner).making(), read).await?;
        self.write(clock, &collection_name, operation, manner).await
    }

    /// Deletes points.
    pub(crate) async fn delete(
        &self,
        message: proto::DeletePoints,
    ) -> Answer<proto::PointsOperationResponse> {
        let clock = Clock::start();
        let proto::DeletePoints {
            collection_name,
            wait,
            points,
            ordering,
            shard_key_selector,
            timeout,
        } = message;
        cluster::shard_key(shard_key_selector)?;
        let manner = convert::manner(wait, ordering, timeout)?;
        let operation = convert::delete("points", points)?;
        self.write(clock, &collection_name, operation, manner).await
    }

    /// Replaces vectors of points.
    pub(crate) async fn update_vectors(
        &self,
        message: proto::UpdatePointVectors,
    ) -> Answer<proto::PointsOperationResponse> {
        let clock = Clock::start();
        let proto::UpdatePointVectors {
            collection_name,
            wait,
            points,
            ordering,
            shard_key_selector,
            update_filter,
            timeout,
        } = message;
        cluster::shard_key(shard_key_selector)?;
        let manner = convert::manner(wait, ordering, timeout)?;
        let read =
            move |points, models: &mut Models<'_>| convert::update_vectors(points, update_filter, models);
        let operation = self.made(points, write_options(manner).making(), read).await?;
        self.write(clock, &collection_name, operation, manner).await
    }

    /// Removes vectors of points.
    pub(crate) async fn delete_vectors(
        &self,
        message: proto::DeletePointVectors,
    ) -> Answer<proto::PointsOperationResponse> {
        let clock = Clock::start();
        let proto::DeletePointVectors {
            collection_name,
            wait,
            points_selector,
            vectors,
            ordering,
            shard_key_selector,
            timeout,
        } = message;
        cluster::shard_key(shard_key_selector)?;
        let manner = convert::manner(wait, ordering, timeout)?;
        let operation = convert::delete_vectors(points_selector, vectors)?;
        self.write(clock, &collection_name, operation, manner).await
    }

    /// Merges keys into payloads.
    pub(crate) async fn set_payload(
        &self,
        message: proto::SetPayloadPoints,
    ) -> Answer<proto::PointsOperationResponse> {
        let clock = Clock::start();
        let (name, manner, operation) = payload_write(message, convert::set_payload)?;
        self.write(clock, &name, operation, manner).await
    }

    /// Replaces payloads.
    pub(crate) async fn overwrite_payload(
        &self,
        message: proto::SetPayloadPoints,
    ) -> Answer<proto::PointsOperationResponse> {
        let clock = Clock::start();
        let (name, manner, operation) = payload_write(message, convert::overwrite_payload)?;
        self.write(clock, &name, operation, manner).await
    }

    /// Removes keys of payloads.
    pub(crate) async fn delete_payload(
        &self,
        message: proto::DeletePayloadPoints,
    ) -> Answer<proto::PointsOperationResponse> {
        let clock = Clock::start();
        let proto::DeletePayloadPoints {
            collection_name,
            wait,
            keys,
            points_selector,
            ordering,
            shard_key_selector,
            timeout,
        } = message;
        cluster::shard_key(shard_key_selector)?;
        let manner = convert::manner(wait, ordering, timeout)?;
        let operation = convert::delete_payload(keys, points_selector)?;
        self.write(clock, &collection_name, operation, manner).await
    }

    /// Removes payloads.
    pub(crate) async fn clear_payload(
        &self,
        message: proto::ClearPayloadPoints,
    ) -> Answer<proto::PointsOperationResponse> {
        let clock = Clock::start();
        let proto::ClearPayloadPoints {
            collection_name,
            wait,
            points,
            ordering,
            shard_key_selector,
            timeout,
        } = message;
        cluster::shard_key(shard_key_selector)?;
        let manner = convert::manner(wait, ordering, timeout)?;
        let operation = convert::clear_payload("points", points)?;
        self.write(clock, &collection_name, operation, manner).await
    }

    /// Carries out operations in order, each on its own.
    pub(crate) async fn update_batch(
        &self,
        message: proto::UpdateBatchPoints,
    ) -> Answer<proto::UpdateBatchResponse> {
        let clock = Clock::start();
        let proto::UpdateBatchPoints {
            collection_name,
            wait,
            operations,
            ordering,
            timeout,
        } = message;
        let manner = convert::manner(wait, ordering, timeout)?;
        let options = write_options(manner);
        let operations = self.made(operations, options.making(), convert::batch).await?;
        let done = self.0.update_batch(&collection_name, operations, options).await?;
        Ok(proto::UpdateBatchResponse {
            result: done.into_iter().map(results::update).collect(),
            time: clock.seconds(),
            usage: None,
        })
    }

    /// Indexes a payload path.
    pub(crate) async fn create_field_index(
        &self,
        message: proto::CreateFieldIndexCollection,
    ) -> Answer<proto::PointsOperationResponse> {
        let clock = Clock::start();
        let proto::CreateFieldIndexCollection {
            collection_name,
            wait,
            field_name,
            field_type,
            field_index_params,
            ordering,
            timeout,
        } = message;
        let options = write_options(convert::manner(wait, ordering, timeout)?);
        let params = indexes::read(field_type, field_index_params)?;
        let result = self
            .0
            .create_index(&collection_name, &field_name, params, options)
            .await?;
        Ok(results::operation(result, clock.seconds()))
    }

    /// Drops the index of a payload path.
    pub(crate) async fn delete_field_index(
        &self,
        message: proto::DeleteFieldIndexCollection,
    ) -> Answer<proto::PointsOperationResponse> {
        let clock = Clock::start();
        let proto::DeleteFieldIndexCollection {
            collection_name,
            wait,
            field_name,
            ordering,
            timeout,
        } = message;
        let options = write_options(convert::manner(wait, ordering, timeout)?);
        let result = self
            .0
            .delete_index(&collection_name, &field_name, options)
            .await?;
        Ok(results::operation(result, clock.seconds()))
    }

    /// Adds a named vector to a collection.
    pub(crate) async fn create_vector_name(
        &self,
        message: proto::CreateVectorNameRequest,
    ) -> Answer<proto::PointsOperationResponse> {
        let clock = Clock::start();
        let proto::CreateVectorNameRequest {
            collection_name,
            wait,
            vector_name,
            timeout,
            ordering,
            vector_config,
        } = message;
        let options = write_options(convert::manner(wait, ordering, timeout)?);
        let added = vectors::added(vector_config)?;
        let result = self
            .0
            .create_vector(&collection_name, &vector_name, added, options)
            .await?;
        Ok(results::operation(result, clock.seconds()))
    }

    /// Drops a named vector of a collection.
    pub(crate) async fn delete_vector_name(
        &self,
        message: proto::DeleteVectorNameRequest,
    ) -> Answer<proto::PointsOperationResponse> {
        let clock = Clock::start();
        let proto::DeleteVectorNameRequest {
            collection_name,
            wait,
            vector_name,
            timeout,
            ordering,
        } = message;
        let options = write_options(convert::manner(wait, ordering, timeout)?);
        let result = self
            .0
            .delete_vector(&collection_name, &vector_name, options)
            .await?;
        Ok(results::operation(result, clock.seconds()))
    }
}

/// The parts of a write of payloads, of which there are two that differ in their operation alone.
fn payload_write(
    message: proto::SetPayloadPoints,
    operation: impl FnOnce(
        std::collections::HashMap<String, proto::Value>,
        Option<proto::PointsSelector>,
        Option<String>,
    ) -> super::super::convert::rejection::Result<Operation>,
) -> Answer<(String, Manner, Operation)> {
    let proto::SetPayloadPoints {
        collection_name,
        wait,
        payload,
        points_selector,
        ordering,
        shard_key_selector,
        key,
        timeout,
    } = message;
    cluster::shard_key(shard_key_selector)?;
    let manner = convert::manner(wait, ordering, timeout)?;
    let operation = operation(payload, points_selector, key)?;
    Ok((collection_name, manner, operation))
}
