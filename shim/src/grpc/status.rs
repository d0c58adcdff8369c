//! Errors of the service as gRPC tells them.

use tonic::metadata::MetadataValue;
use tonic::{Code, Status};

use crate::service::{ErrorKind, ServiceError};

/// The metadata that says when to try again.
const RETRY_AFTER: &str = "retry-after";

impl From<ServiceError> for Status {
    fn from(error: ServiceError) -> Self {
        let text = match error.kind {
            ErrorKind::Validation | ErrorKind::Name => format!("Validation error in body: [{error}]"),
            ErrorKind::NotFound
            | ErrorKind::BadInput
            | ErrorKind::BadRequest
            | ErrorKind::StrictMode
            | ErrorKind::AlreadyExists
            | ErrorKind::Unauthorized
            | ErrorKind::Forbidden
            | ErrorKind::Timeout
            | ErrorKind::RateLimited { .. }
            | ErrorKind::OutOfStorage
            | ErrorKind::Checksum
            | ErrorKind::Standalone
            | ErrorKind::Unimplemented
            | ErrorKind::Internal => error.to_string(),
        };
        let mut status = Status::new(code(error.kind), text);
        if let ErrorKind::RateLimited { retry_after } = error.kind {
            let seconds = retry_after.as_secs_f64().ceil().max(1.0) as u64;
            status
                .metadata_mut()
                .insert(RETRY_AFTER, MetadataValue::from(seconds));
        }
        status
    }
}

fn code(kind: ErrorKind) -> Code {
    match kind {
        ErrorKind::NotFound => Code::NotFound,
        ErrorKind::BadInput
        | ErrorKind::BadRequest
        | ErrorKind::StrictMode
        | ErrorKind::Validation
        | ErrorKind::Name => Code::InvalidArgument,
        ErrorKind::AlreadyExists => Code::AlreadyExists,
        ErrorKind::Unauthorized => Code::Unauthenticated,
        ErrorKind::Forbidden => Code::PermissionDenied,
        ErrorKind::Timeout => Code::DeadlineExceeded,
        ErrorKind::RateLimited { .. } | ErrorKind::OutOfStorage => Code::ResourceExhausted,
        ErrorKind::Checksum => Code::DataLoss,
        ErrorKind::Standalone | ErrorKind::Unimplemented => Code::Unimplemented,
        ErrorKind::Internal => Code::Internal,
    }
}

#[cfg(test)]
mod tests;
