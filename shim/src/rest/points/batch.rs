//! Several writes in one request.

use serde::Deserialize;
use vdb::Operation;

use super::payload::{DeletePayload, OverwritePayload, SetPayload};
use super::selected::{ClearPayload, Delete};
use super::upsert::Upsert;
use super::vectors::{DeleteVectors, UpdateVectors};
use super::{Means, Write};
use crate::inference::Models;
use crate::rest::envelope::Failure;
use crate::service::ServiceError;

#[derive(Deserialize)]
pub(super) struct Batch {
    operations: Vec<BatchOperation>,
}

/// One of these; other keys are not minded.
#[derive(Deserialize)]
#[serde(expecting = "an object with one operation")]
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
    fn names_model(&self) -> bool {
        match self {
            BatchOperation::Upsert(body) => body.names_model(),
            BatchOperation::UpdateVectors(body) => body.names_model(),
            BatchOperation::Delete(_)
            | BatchOperation::SetPayload(_)
            | BatchOperation::OverwritePayload(_)
            | BatchOperation::DeletePayload(_)
            | BatchOperation::ClearPayload(_)
            | BatchOperation::DeleteVectors(_) => false,
        }
    }

    /// `place` is what errors call this.
    fn operation(self, place: &str, models: &mut Models<'_>) -> Result<Operation, ServiceError> {
        let at = |name: &str| format!("{place}.{name}.");
        match self {
            BatchOperation::Upsert(body) => body.operation(&at("upsert"), models),
            BatchOperation::Delete(body) => body.operation(&at("delete"), models),
            BatchOperation::SetPayload(body) => body.operation(&at("set_payload"), models),
            BatchOperation::OverwritePayload(body) => body.operation(&at("overwrite_payload"), models),
            BatchOperation::DeletePayload(body) => body.operation(&at("delete_payload"), models),
            BatchOperation::ClearPayload(body) => body.operation(&at("clear_payload"), models),
            BatchOperation::UpdateVectors(body) => body.operation(&at("update_vectors"), models),
            BatchOperation::DeleteVectors(body) => body.operation(&at("delete_vectors"), models),
        }
    }
}

impl Means for Batch {
    type Meaning = Vec<Operation>;

    fn names_model(&self) -> bool {
        self.operations.iter().any(BatchOperation::names_model)
    }

    fn meaning(self, models: &mut Models<'_>) -> Result<Vec<Operation>, Failure> {
        let operations = self.operations.into_iter().enumerate();
        let read = |(number, operation): (usize, BatchOperation)| {
            operation.operation(&format!("operations[{number}]"), models)
        };
        Ok(operations.map(read).collect::<Result<_, ServiceError>>()?)
    }
}
