//! Payloads: keys merged into them, whole ones replaced, keys taken away.

use serde::Deserialize;
use vdb::{Operation, Payload};

use super::Write;
use super::selected::Selected;
use crate::inference::Models;
use crate::rest::wire::WirePath;
use crate::service::ServiceError;

#[derive(Deserialize)]
pub(super) struct SetPayload {
    payload: Payload,
    #[serde(flatten)]
    selected: Selected,
    key: Option<WirePath>,
}

impl Write for SetPayload {
    fn operation(self, place: &str, _: &mut Models<'_>) -> Result<Operation, ServiceError> {
        Ok(Operation::SetPayload {
            payload: self.payload,
            target: self.selected.target(place)?,
            key: self.key.map(WirePath::into_text),
        })
    }
}

#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct OverwritePayload(SetPayload);

impl Write for OverwritePayload {
    /// The whole payload is replaced: a `key` says nothing here, with Qdrant as well.
    fn operation(self, place: &str, _: &mut Models<'_>) -> Result<Operation, ServiceError> {
        Ok(Operation::OverwritePayload {
            payload: self.0.payload,
            target: self.0.selected.target(place)?,
        })
    }
}

#[derive(Deserialize)]
pub(super) struct DeletePayload {
    keys: Vec<WirePath>,
    #[serde(flatten)]
    selected: Selected,
}

impl Write for DeletePayload {
    fn operation(self, place: &str, _: &mut Models<'_>) -> Result<Operation, ServiceError> {
        Ok(Operation::DeletePayload {
            keys: self.keys.into_iter().map(WirePath::into_text).collect(),
            target: self.selected.target(place)?,
        })
    }
}
