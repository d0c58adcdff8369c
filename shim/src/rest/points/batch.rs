//! Several writes in one request.

use serde::Deserialize;
use vdb::Operation;

use super::Write;
use super::payload::{DeletePayload, OverwritePayload, SetPayload};
use super::selected::{ClearPayload, Delete};
use super::upsert::Upsert;
use super::vectors::{DeleteVectors, UpdateVectors};
use crate::service::ServiceError;

#[derive(Deserialize)]
struct Batch {
    operations: Vec<BatchOperation>,
}

/// One of these; other keys are not minded.
#[derive(Deserialize)]
struct BatchFields {
    upsert: Option<Upsert>,
    delete: Option<Delete>,
    set_payload: Option<SetPayload>,
    overwrite_payload: Option<OverwritePayload>,
    delete_payload: Option<DeletePayload>,
    clear_payload: Option<ClearPayload>,
    update_vectors: Option<UpdateVectors>,
    delete_vectors: Option<DeleteVectors>,
}

#[derive(Deserialize)]
#[serde(try_from = "BatchFields")]
enum BatchOperation {
    Upsert(Upsert),
    Delete(Delete),
    SetPayload(SetPayload),
    OverwritePayload(OverwritePayload),
    DeletePayload(DeletePayload),
    ClearPayload(ClearPayload),
    UpdateVectors(UpdateVectors),
    DeleteVectors(DeleteVectors),
}

impl TryFrom<BatchFields> for BatchOperation {
    type Error = &'static str;

    fn try_from(fields: BatchFields) -> Result<Self, Self::Error> {
        let given = [
            fields.upsert.map(BatchOperation::Upsert),
            fields.delete.map(BatchOperation::Delete),
            fields.set_payload.map(BatchOperation::SetPayload),
            fields.overwrite_payload.map(BatchOperation::OverwritePayload),
            fields.delete_payload.map(BatchOperation::DeletePayload),
            fields.clear_payload.map(BatchOperation::ClearPayload),
            fields.update_vectors.map(BatchOperation::UpdateVectors),
            fields.delete_vectors.map(BatchOperation::DeleteVectors),
        ];
        let given = given.into_iter().flatten().next();
        given.ok_or(
            "expected one of `upsert`, `delete`, `set_payload`, `overwrite_payload`, `delete_payload`, \
             `clear_payload`, `update_vectors`, `delete_vectors`",
        )
    }
}

impl BatchOperation {
    fn operation(self) -> Result<Operation, ServiceError> {
        match self {
            BatchOperation::Upsert(body) => body.operation(),
            BatchOperation::Delete(body) => body.operation(),
            BatchOperation::SetPayload(body) => body.operation(),
            BatchOperation::OverwritePayload(body) => body.operation(),
            BatchOperation::DeletePayload(body) => body.operation(),
            BatchOperation::ClearPayload(body) => body.operation(),
            BatchOperation::UpdateVectors(body) => body.operation(),
            BatchOperation::DeleteVectors(body) => body.operation(),
        }
    }
}

/// The operations of a batch, made where it is read.
#[derive(Deserialize)]
#[serde(from = "Batch")]
pub(super) struct Operations(pub(super) Result<Vec<Operation>, ServiceError>);

impl From<Batch> for Operations {
    fn from(batch: Batch) -> Self {
        let operations = batch.operations.into_iter().map(BatchOperation::operation);
        Operations(operations.collect())
    }
}
