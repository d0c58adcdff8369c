//! Texts, images and objects in the place of vectors; whether there are texts in a message.

use std::collections::HashMap;

use qdrant_client::qdrant as proto;
use qdrant_client::qdrant::points_update_operation::Operation;
use qdrant_client::qdrant::query::Variant as QueryVariant;
use qdrant_client::qdrant::vector_input::Variant as InputVariant;
use qdrant_client::qdrant::{target_vector, vector, vector_example, vectors};
use serde_json::{Map, Value};
use vdb::Vector;

use super::payload;
use super::rejection::{Rejection, Result, Within};
use crate::inference::{self, InferenceError};
pub(crate) use crate::inference::{Models, Role};

/// The vector of a text.
pub(crate) fn document(message: proto::Document, role: Role, models: &mut Models<'_>) -> Result<Vector> {
    let proto::Document { text, model, options } = message;
    if model.is_empty() {
        return Err(no_model(&model));
    }
    let options = self::options(options)?;
    let vector = models.embed(&model, &text, options, role);
    vector.map(Vector::Sparse).map_err(|error| match error {
        InferenceError::Model(problem) => Rejection::unimplemented("model", problem),
        InferenceError::Options(problem) => Rejection::invalid("options", problem),
        InferenceError::Stopped(why) => Rejection::late(why),
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
    if model.is_empty() {
        return Rejection::invalid("model", "must not be empty");
    }
    Rejection::unimplemented("model", inference::unknown_model(model))
}

/// Messages in which there may be texts that a model makes vectors of.
pub(crate) trait NamesModel {
    /// Whether there are any.
    fn names_model(&self) -> bool;
}

impl<M: NamesModel> NamesModel for Vec<M> {
    fn names_model(&self) -> bool {
        self.iter().any(M::names_model)
    }
}

impl<M: NamesModel> NamesModel for Option<M> {
    fn names_model(&self) -> bool {
        self.as_ref().is_some_and(M::names_model)
    }
}

/// Each of them names a model if one of these does.
macro_rules! names_model {
    ($($message:ident($($field:ident),+);)+) => {
        $(impl NamesModel for proto::$message {
            fn names_model(&self) -> bool {
                $(self.$field.names_model())||+
            }
        })+
    };
}

names_model! {
    PointStruct(vectors);
    PointVectors(vectors);
    QueryPoints(query, prefetch);
    QueryPointGroups(query, prefetch);
    PrefetchQuery(query, prefetch);
    RecommendInput(positive, negative);
    DiscoverInput(target, context);
    ContextInput(pairs);
    ContextInputPair(positive, negative);
    NearestInputWithMmr(nearest);
    RelevanceFeedbackInput(target, feedback);
    FeedbackItem(example);
    RecommendPoints(positive_vectors, negative_vectors);
    RecommendPointGroups(positive_vectors, negative_vectors);
    DiscoverPoints(target, context);
    ContextExamplePair(positive, negative);
}

impl NamesModel for proto::SearchPoints {
    /// Their vectors are numbers.
    fn names_model(&self) -> bool {
        false
    }
}

impl NamesModel for proto::Vector {
    fn names_model(&self) -> bool {
        matches!(self.vector, Some(vector::Vector::Document(_)))
    }
}

impl NamesModel for proto::VectorInput {
    fn names_model(&self) -> bool {
        matches!(self.variant, Some(InputVariant::Document(_)))
    }
}

impl NamesModel for proto::Vectors {
    fn names_model(&self) -> bool {
        match &self.vectors_options {
            None => false,
            Some(vectors::VectorsOptions::Vector(one)) => one.names_model(),
            Some(vectors::VectorsOptions::Vectors(named)) => {
                named.vectors.values().any(NamesModel::names_model)
            }
        }
    }
}

impl NamesModel for proto::VectorExample {
    fn names_model(&self) -> bool {
        match &self.example {
            Some(vector_example::Example::Vector(one)) => one.names_model(),
            Some(vector_example::Example::Id(_)) | None => false,
        }
    }
}

impl NamesModel for proto::TargetVector {
    fn names_model(&self) -> bool {
        match &self.target {
            Some(target_vector::Target::Single(one)) => one.names_model(),
            None => false,
        }
    }
}

impl NamesModel for proto::Query {
    fn names_model(&self) -> bool {
        match &self.variant {
            Some(QueryVariant::Nearest(of)) => of.names_model(),
            Some(QueryVariant::Recommend(of)) => of.names_model(),
            Some(QueryVariant::Discover(of)) => of.names_model(),
            Some(QueryVariant::Context(of)) => of.names_model(),
            Some(QueryVariant::NearestWithMmr(of)) => of.names_model(),
            Some(QueryVariant::RelevanceFeedback(of)) => of.names_model(),
            Some(
                QueryVariant::OrderBy(_)
                | QueryVariant::Fusion(_)
                | QueryVariant::Sample(_)
                | QueryVariant::Formula(_)
                | QueryVariant::Rrf(_)
                | QueryVariant::Text(_),
            )
            | None => false,
        }
    }
}

impl NamesModel for proto::PointsUpdateOperation {
    fn names_model(&self) -> bool {
        match &self.operation {
            Some(Operation::Upsert(of)) => of.points.names_model(),
            Some(Operation::UpdateVectors(of)) => of.points.names_model(),
            // None of the others brings vectors.
            Some(_) | None => false,
        }
    }
}

#[cfg(test)]
mod tests;
