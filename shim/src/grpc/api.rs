//! What answers calls.

use std::time::{Duration, Instant};

use super::convert::points::Manner;
use crate::service::{Ordering, ReadOptions, Service, WriteOptions};

/// Answers the calls of all services. Its methods take a message and give a message, so that a caller in the same process
/// needs no wire; the traits of the services are implemented over them.
#[derive(Clone, Debug)]
pub(crate) struct Api {
    pub(super) service: Service,
}

impl Api {
    /// Answers from this service.
    pub(crate) fn new(service: Service) -> Self {
        Api { service }
    }
}

/// Tells how long a call took, in seconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock(Instant);

impl Clock {
    pub(super) fn start() -> Self {
        Clock(Instant::now())
    }

    pub(super) fn seconds(self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }
}

pub(super) fn write_options(manner: Manner) -> WriteOptions {
    WriteOptions {
        wait: manner.wait,
        ordering: Ordering::default(),
        timeout: manner.timeout,
    }
}

pub(super) fn read_options(timeout: Option<Duration>) -> ReadOptions {
    ReadOptions { timeout }
}

/// Implements the trait of a service by the methods of [`Api`] with the same names.
macro_rules! serve_by_methods {
    ($trait:path: $($name:ident($message:ident) -> $answer:ident;)+) => {
        #[tonic::async_trait]
        impl $trait for $crate::grpc::Api {
            $(async fn $name(
                &self,
                request: tonic::Request<qdrant_client::qdrant::$message>,
            ) -> std::result::Result<tonic::Response<qdrant_client::qdrant::$answer>, tonic::Status> {
                // The method of the type comes before that of the trait.
                $crate::grpc::Api::$name(self, request.into_inner())
                    .await
                    .map(tonic::Response::new)
            })+
        }
    };
}

pub(super) use serve_by_methods;
