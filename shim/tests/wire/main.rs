//! What goes over the wire: the same calls through the client in the process and through a server with the official client,
//! and what only a server has.

mod collections;
mod fixture;
mod queries;
mod server;
mod writes;
