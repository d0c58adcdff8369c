//! Snapshots.

use std::time::{Duration, SystemTime};

use qdrant_client::qdrant as proto;
use qdrant_client::qdrant::snapshots_server::Snapshots;
use tonic::Status;

use super::call::{Clock, OnBehalf, serve_by_methods};
use crate::service::{Caller, Service, ServiceError, SnapshotDescription, SnapshotsOf};

type Answer<T> = Result<T, Status>;

/// Answers calls about snapshots.
#[derive(Clone, Debug)]
pub(crate) struct SnapshotCalls(pub(super) Service);

impl OnBehalf for SnapshotCalls {
    fn on_behalf_of(&self, caller: &Caller) -> Self {
        SnapshotCalls(self.0.on_behalf_of(caller))
    }
}

serve_by_methods! { Snapshots for SnapshotCalls:
    create(CreateSnapshotRequest) -> CreateSnapshotResponse;
    list(ListSnapshotsRequest) -> ListSnapshotsResponse;
    delete(DeleteSnapshotRequest) -> DeleteSnapshotResponse;
    create_full(CreateFullSnapshotRequest) -> CreateSnapshotResponse;
    list_full(ListFullSnapshotsRequest) -> ListSnapshotsResponse;
    delete_full(DeleteFullSnapshotRequest) -> DeleteSnapshotResponse;
}

impl SnapshotCalls {
    async fn create_of(&self, of: SnapshotsOf<'_>) -> Answer<proto::CreateSnapshotResponse> {
        let clock = Clock::start();
        let made = self.0.create_snapshot(of, true).await?;
        let made =
            made.ok_or_else(|| ServiceError::internal("a snapshot that was waited for is not described"))?;
        Ok(proto::CreateSnapshotResponse {
            snapshot_description: Some(describe(made)),
            time: clock.seconds(),
        })
    }

    async fn list_of(&self, of: SnapshotsOf<'_>) -> Answer<proto::ListSnapshotsResponse> {
        let clock = Clock::start();
        let list = self.0.list_snapshots(of).await?;
        Ok(proto::ListSnapshotsResponse {
            snapshot_descriptions: list.into_iter().map(describe).collect(),
            time: clock.seconds(),
        })
    }

    async fn delete_of(&self, of: SnapshotsOf<'_>, name: &str) -> Answer<proto::DeleteSnapshotResponse> {
        let clock = Clock::start();
        self.0.delete_snapshot(of, name).await?;
        Ok(proto::DeleteSnapshotResponse {
            time: clock.seconds(),
        })
    }

    /// Takes a snapshot of a collection.
    pub(crate) async fn create(
        &self,
        message: proto::CreateSnapshotRequest,
    ) -> Answer<proto::CreateSnapshotResponse> {
        self.create_of(SnapshotsOf::Collection(&message.collection_name))
            .await
    }

    /// The snapshots of a collection.
    pub(crate) async fn list(
        &self,
        message: proto::ListSnapshotsRequest,
    ) -> Answer<proto::ListSnapshotsResponse> {
        self.list_of(SnapshotsOf::Collection(&message.collection_name))
            .await
    }

    /// Removes a snapshot of a collection.
    pub(crate) async fn delete(
        &self,
        message: proto::DeleteSnapshotRequest,
    ) -> Answer<proto::DeleteSnapshotResponse> {
        let of = SnapshotsOf::Collection(&message.collection_name);
        self.delete_of(of, &message.snapshot_name).await
    }

    /// Takes a snapshot of everything.
    pub(crate) async fn create_full(
        &self,
        _: proto::CreateFullSnapshotRequest,
    ) -> Answer<proto::CreateSnapshotResponse> {
        self.create_of(SnapshotsOf::Everything).await
    }

    /// The snapshots of everything.
    pub(crate) async fn list_full(
        &self,
        _: proto::ListFullSnapshotsRequest,
    ) -> Answer<proto::ListSnapshotsResponse> {
        self.list_of(SnapshotsOf::Everything).await
    }

    /// Removes a snapshot of everything.
    pub(crate) async fn delete_full(
        &self,
        message: proto::DeleteFullSnapshotRequest,
    ) -> Answer<proto::DeleteSnapshotResponse> {
        self.delete_of(SnapshotsOf::Everything, &message.snapshot_name)
            .await
    }

    /// Where the file of a snapshot of a collection is.
    pub(crate) async fn path(&self, collection: &str, name: &str) -> Answer<std::path::PathBuf> {
        let file = self
            .0
            .snapshot_file(SnapshotsOf::Collection(collection), name)
            .await?;
        Ok(file.path)
    }
}

fn describe(snapshot: SnapshotDescription) -> proto::SnapshotDescription {
    let time = snapshot.creation_time.as_deref().and_then(timestamp);
    proto::SnapshotDescription {
        name: snapshot.name,
        creation_time: time,
        size: i64::try_from(snapshot.size).unwrap_or(i64::MAX),
        checksum: snapshot.checksum,
    }
}

/// A time in UTC without a zone, as snapshots are listed with.
fn timestamp(text: &str) -> Option<prost_types::Timestamp> {
    let at: vdb::Datetime = text.parse().ok()?;
    let micros = u64::try_from(at.micros()).ok()?;
    Some(
        SystemTime::UNIX_EPOCH
            .checked_add(Duration::from_micros(micros))?
            .into(),
    )
}
