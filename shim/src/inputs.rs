//! What calls are given, read as they read it and answered by nobody: to see that whatever comes from a network is read to an end
//! or refused. No part of the interface.

/// Whether bytes are what a call takes, and make sense as far as that can be told without looking at a collection.
pub type Reader = fn(&[u8]) -> bool;

/// How the bodies of REST are read, by name.
pub fn bodies() -> impl Iterator<Item = (&'static str, Reader)> {
    crate::rest::bodies()
}

/// How the messages of gRPC are read, by name.
pub fn messages() -> impl Iterator<Item = (&'static str, Reader)> {
    crate::grpc::MESSAGES.iter().copied()
}

#[cfg(test)]
mod tests;
