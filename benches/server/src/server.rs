//! What a server is asked, whatever the transport.

use std::sync::{Mutex, PoisonError};

use serde_json::{Map, Value};
use vdb::Distance;
use vdb_benches::{Dataset, Question, Result, Writer};

/// What Qdrant calls a distance.
pub(crate) fn distance_name(distance: Distance) -> &'static str {
    match distance {
        Distance::Cosine => "Cosine",
        Distance::Dot => "Dot",
        Distance::Euclid => "Euclid",
        Distance::Manhattan => "Manhattan",
    }
}

/// Of the 8-bit codes, the share of values in the middle that they are scaled to.
pub(crate) const QUANTILE: f32 = 0.99;

/// When a write is acknowledged, for a transport.
pub(crate) fn durability(transport: &str) -> String {
    format!("wait=true, {transport}")
}

/// Makes the collection anew, for vectors as those of `set`.
pub(crate) fn renew(server: &dyn Server, set: &Dataset) -> Result<()> {
    if server.exists()? {
        server.delete()?;
    }
    server.create(&Params {
        dim: set.dim,
        distance: set.distance,
        int8: false,
    })
}

/// Connections that wait for their next write.
pub(crate) struct Idle<C>(Mutex<Vec<C>>);

impl<C> Default for Idle<C> {
    fn default() -> Self {
        Idle(Mutex::default())
    }
}

impl<C> Idle<C> {
    /// Does `work` with one of them, or with a new one.
    pub(crate) fn with<T>(
        &self,
        open: impl FnOnce() -> Result<C>,
        work: impl FnOnce(&C) -> Result<T>,
    ) -> Result<T> {
        let idle = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = idle().pop();
        let connection = waiting.map_or_else(open, Ok)?;
        let done = work(&connection)?;
        idle().push(connection);
        Ok(done)
    }
}

/// How a collection is made.
#[derive(Clone, Copy, Debug)]
pub struct Params {
    /// Numbers in a vector.
    pub dim: usize,
    /// How nearness is measured.
    pub distance: Distance,
    /// Walk on 8-bit codes kept in memory, then score twice as many candidates as asked for in full.
    pub int8: bool,
}

/// How far the index is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    /// Nothing is under way.
    pub green: bool,
    /// Points in the collection.
    pub points: u64,
    /// Segments that searches look at.
    pub segments: u64,
}

/// A server, and one collection of it.
pub trait Server: Sync {
    /// `grpc` or `rest`.
    fn transport(&self) -> &'static str;

    /// The same server, with another collection.
    fn beside(&self, collection: &str) -> Box<dyn Server>;

    /// What it is: name and version.
    fn name(&self) -> Result<String>;

    /// Whether the collection is there.
    fn exists(&self) -> Result<bool>;

    /// Makes the collection.
    fn create(&self, params: &Params) -> Result<()>;

    /// Makes a payload index, of a kind as Qdrant names it.
    fn index(&self, path: &str, kind: &str) -> Result<()>;

    /// Writes points with numbers from `first` on, and waits until they are written.
    fn upsert(&self, first: u64, vectors: &[&[f32]], payloads: &[Map<String, Value>]) -> Result<()>;

    /// Writes with `wait=true`, each round into the collection made anew, of vectors as those of `set`. Every thread that
    /// writes has a connection of its own.
    fn writer<'a>(&'a self, set: &'a Dataset) -> Result<Writer<'a>>;

    /// How far the index is.
    fn state(&self) -> Result<State>;

    /// Removes the collection.
    fn delete(&self) -> Result<()>;

    /// A connection of its own.
    fn connect(&self) -> Result<Box<dyn Connection>>;
}

/// A connection that is asked one question at a time.
pub trait Connection: Send {
    /// Makes a question ready; not timed. It is asked by its number, from 0, in the order of these calls.
    fn prepare(&mut self, question: &Question<'_>, int8: bool) -> Result<()>;

    /// Forgets all questions.
    fn clear(&mut self);

    /// The ids of the neighbours; timed.
    fn ask(&mut self, question: usize) -> Result<Vec<u64>>;

    /// A call that does nothing: what the way there and back takes.
    fn health(&mut self) -> Result<()>;
}
