//! Errors of the service as gRPC tells them.

use tonic::metadata::MetadataValue;
use tonic::{Code, Status};

use crate::service::{ErrorKind, ServiceError};

/// The metadata that says when to try again.
const RETRY_AFTER: &str = "retry-after";

/// Bytes of the text of an error. It goes into a header, of which clients take some kilobytes, with three bytes for each that is
/// not ASCII.
const MOST: usize = 1_536;

/// Of a longer text the bytes of its end that are kept: where something is named, what is wrong with it stands there.
const END: usize = 256;

/// An error. Its text may have whatever callers call things; what is too much of it is left out.
pub(super) fn told(code: Code, text: &str) -> Status {
    if text.len() <= MOST {
        return Status::new(code, text);
    }
    let start = &text[..text.floor_char_boundary(MOST - END)];
    let end = &text[text.ceil_char_boundary(text.len() - END)..];
    Status::new(code, format!("{start} [...] {end}"))
}

/// A message that cannot be read.
pub(super) fn unreadable(error: impl std::fmt::Display) -> Status {
    told(
        Code::InvalidArgument,
        &format!("the message cannot be read: {error}"),
    )
}

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
        let mut status = told(code(error.kind), &text);
        if let Some(seconds) = error.kind.retry_after() {
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
