//! What the services look like, for tools such as grpcurl that ask a server instead of reading its definitions.
//!
//! The descriptors were made of the definitions that the crate `qdrant-client` 1.20.0 brings along (`proto/qdrant.proto` and
//! what it imports), by the compiler `protox` 0.9, and lack their comments. They change only with that crate.

use tonic_reflection::server::{Builder, Error};

/// The services and messages of Qdrant, a `google.protobuf.FileDescriptorSet`.
const DESCRIPTORS: &[u8] = include_bytes!("reflection/qdrant.binpb");

/// Knows the services that are served.
pub(super) fn builder<'a>() -> Builder<'a> {
    Builder::configure()
        .register_encoded_file_descriptor_set(DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
}

/// The service that answers, unless the descriptors cannot be read: then none, as everything else works without.
pub(super) fn known<S>(service: Result<S, Error>) -> Option<S> {
    service
        .inspect_err(|error| tracing::warn!(%error, "tools cannot be told what the services look like"))
        .ok()
}

#[cfg(test)]
mod tests;
