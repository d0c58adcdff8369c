//! What every call needs.

use std::time::{Duration, Instant};

use super::convert::points::Manner;
use crate::service::{Caller, Ordering, ReadOptions, WriteOptions};

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

    /// How a read is carried out that may take so long from the beginning of its call.
    pub(super) fn within(self, timeout: Option<Duration>) -> ReadOptions {
        ReadOptions {
            timeout,
            since: Some(self.0),
        }
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
    ReadOptions { timeout, since: None }
}

/// What answers calls, for somebody.
pub(super) trait OnBehalf {
    /// The same for this caller.
    fn on_behalf_of(&self, caller: &Caller) -> Self;
}

/// Implements the trait of a service by the methods of a type that have the same names, for callers whom the guard has let in
/// and who may do that in the collection that the message names.
macro_rules! serve_by_methods {
    ($trait:ident for $type:ident: $($name:ident($message:ident) -> $answer:ident;)+) => {
        #[tonic::async_trait]
        impl $trait for $type {
            $(async fn $name(
                &self,
                request: tonic::Request<qdrant_client::qdrant::$message>,
            ) -> Result<tonic::Response<qdrant_client::qdrant::$answer>, tonic::Status> {
                let (_, extensions, message) = request.into_parts();
                let named = $crate::grpc::names::Names::collection(&message);
                let caller = $crate::grpc::guard::caller(&extensions, named)?;
                let calls = $crate::grpc::call::OnBehalf::on_behalf_of(self, caller);
                let subject = named.map(str::to_owned).map($crate::grpc::journal::Subject);
                // A method of the type itself comes before that of a trait.
                let answer = $type::$name(&calls, message).await?;
                let short = prost::Message::encoded_len(&answer) < $crate::limits::PACKET.into();
                let mut response = tonic::Response::new(answer);
                if short {
                    response.disable_compression();
                }
                if let Some(subject) = subject {
                    response.extensions_mut().insert(subject);
                }
                Ok(response)
            })+
        }
    };
}

pub(super) use serve_by_methods;
