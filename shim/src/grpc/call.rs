//! What every call needs.

use std::time::{Duration, Instant};

use super::convert::points::Manner;
use crate::service::{Ordering, ReadOptions, WriteOptions};

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

/// Implements the trait of a service by the methods of a type that have the same names.
macro_rules! serve_by_methods {
    ($trait:ident for $type:ident: $($name:ident($message:ident) -> $answer:ident;)+) => {
        #[tonic::async_trait]
        impl $trait for $type {
            $(async fn $name(
                &self,
                request: tonic::Request<qdrant_client::qdrant::$message>,
            ) -> Result<tonic::Response<qdrant_client::qdrant::$answer>, tonic::Status> {
                let message = request.into_inner();
                let subject = crate::grpc::about::About::collection(&message).map(str::to_owned);
                // A method of the type itself comes before that of a trait.
                let answer = $type::$name(self, message).await?;
                let mut response = tonic::Response::new(answer);
                if let Some(name) = subject {
                    response.extensions_mut().insert(crate::grpc::about::Subject(name));
                }
                Ok(response)
            })+
        }
    };
}

pub(super) use serve_by_methods;
