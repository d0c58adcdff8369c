//! The server itself.

use qdrant_client::qdrant as proto;
use qdrant_client::qdrant::qdrant_server::Qdrant;
use tonic::Status;

use super::call::{OnBehalf, serve_by_methods};
use crate::service::{Caller, QDRANT_COMMIT, QDRANT_TITLE, QDRANT_VERSION};

/// Answers calls about the server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ServerCalls;

impl OnBehalf for ServerCalls {
    fn on_behalf_of(&self, _: &Caller) -> Self {
        *self
    }
}

serve_by_methods! { Qdrant for ServerCalls:
    health_check(HealthCheckRequest) -> HealthCheckReply;
}

impl ServerCalls {
    /// What the server is, and which version of Qdrant it answers as.
    pub(crate) async fn health_check(
        &self,
        _: proto::HealthCheckRequest,
    ) -> Result<proto::HealthCheckReply, Status> {
        Ok(proto::HealthCheckReply {
            title: QDRANT_TITLE.to_owned(),
            version: QDRANT_VERSION.to_owned(),
            commit: Some(QDRANT_COMMIT.to_owned()),
        })
    }
}
