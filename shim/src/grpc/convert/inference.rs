//! Texts, images and objects in the place of vectors.

use std::collections::HashMap;

use qdrant_client::qdrant as proto;
use serde_json::{Map, Value};
use vdb::Vector;

use super::payload;
use super::rejection::{Rejection, Result, Within};
use crate::inference;
pub(crate) use crate::inference::Role;

/// The vector of a text.
pub(crate) fn document(message: proto::Document, role: Role) -> Result<Vector> {
    let proto::Document { text, model, options } = message;
    let options = self::options(options)?;
    let vector = inference::embed(&model, &text, options, role);
    vector.map(Vector::Sparse).map_err(|error| match error.field {
        "model" => Rejection::unimplemented(error.field, error.problem),
        field => Rejection::invalid(field, error.problem),
    })
}

fn options(map: HashMap<String, proto::Value>) -> Result<Map<String, Value>> {
    payload::payload(map).within("options")
}

/// Refuses an image: no model here sees.
pub(crate) fn image(message: proto::Image) -> Result<Vector> {
    Err(no_model(&message.model))
}

/// Refuses an object: no model here knows what to make of it.
pub(crate) fn object(message: proto::InferenceObject) -> Result<Vector> {
    Err(no_model(&message.model))
}

fn no_model(model: &str) -> Rejection {
    Rejection::unimplemented("model", inference::unknown_model(model))
}
