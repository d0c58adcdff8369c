//! What bodies ask for, made where they are read: a large one on a thread that may be busy for a while. What takes a model is made
//! elsewhere, whatever its size, in the time of its request.

use serde::de::{Deserialize, DeserializeOwned, Deserializer};

use super::envelope::Failure;
use crate::inference::Models;
use crate::service::{ReadOptions, Service};

/// A body that something is made of before it is asked of the service.
pub(super) trait Means: DeserializeOwned + Send + 'static {
    /// What that is.
    type Meaning: Send + 'static;

    /// Whether there are texts in it that a model makes vectors of.
    fn names_model(&self) -> bool;

    /// What the body means.
    fn meaning(self, models: &mut Models<'_>) -> Result<Self::Meaning, Failure>;
}

/// A body, or what it means.
pub(super) enum Meant<B: Means> {
    /// What it means, or why it means nothing.
    Made(Result<B::Meaning, Failure>),
    /// It takes a model.
    ToMake(B),
}

impl<'de, B: Means> Deserialize<'de> for Meant<B> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let body = B::deserialize(deserializer)?;
        if body.names_model() {
            return Ok(Meant::ToMake(body));
        }
        Ok(Meant::Made(body.meaning(&mut Models::default())))
    }
}

impl<B: Means> Meant<B> {
    /// What the body means, made within the time of a read.
    pub(super) async fn made(self, service: &Service, options: ReadOptions) -> Result<B::Meaning, Failure> {
        match self {
            Meant::Made(made) => made,
            Meant::ToMake(body) => {
                service
                    .make(options, move |control| body.meaning(&mut Models::within(control)))
                    .await
            }
        }
    }
}

/// Whether bytes are such a body, and mean something.
pub(super) fn reads<B: Means>(bytes: &[u8]) -> bool {
    serde_json::from_slice::<B>(bytes).is_ok_and(|body| body.meaning(&mut Models::default()).is_ok())
}

#[cfg(test)]
mod tests;
