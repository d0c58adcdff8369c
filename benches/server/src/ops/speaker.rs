//! What is asked of a server, over gRPC or REST.
//!
//! A point is known by one number, its value: payload and vector follow from it, so that whoever reads a point can tell whether
//! all of it is what was written.

use std::collections::BTreeMap;

use qdrant_client::qdrant::{
    Condition, CountPointsBuilder, CreateCollectionBuilder, DeletePointsBuilder, Distance, Filter,
    GetPointsBuilder, PointId, PointStruct, PointsIdsList, Query, QueryPointsBuilder, Range,
    ScrollPointsBuilder, SetPayloadPointsBuilder, UpsertPointsBuilder, VectorParamsBuilder, point_id, value,
};
use serde_json::{Value, json};
use ureq::Agent;
use vdb_benches::{Error, Result};

use crate::grpc::Client;
use crate::rest::{Method, agent, call};

/// Which way a connection speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Transport {
    /// gRPC.
    Grpc,
    /// REST.
    Rest,
}

impl Transport {
    /// `grpc` or `rest`.
    pub fn name(self) -> &'static str {
        match self {
            Transport::Grpc => "grpc",
            Transport::Rest => "rest",
        }
    }
}

/// Values up to this are exact as numbers of a vector.
pub(crate) const MOST: u64 = 1 << 24;

/// The vector of a value: it is its first number.
pub(crate) fn vector(value: u64, dim: usize) -> Vec<f32> {
    let number =
        |at: u64| (value.wrapping_add(1).wrapping_mul(2_654_435_761 + 97 * at) % 1_000) as f32 / 1_000.0;
    let first = std::iter::once((value % MOST) as f32);
    first.chain((1..dim as u64).map(number)).collect()
}

enum Wire {
    Grpc(Client),
    Rest { agent: Agent, url: String },
}

/// A connection to one collection of a server. Every write waits until it is done.
pub struct Speaker {
    wire: Wire,
    collection: String,
    dim: usize,
}

fn failed(transport: Transport, what: impl std::fmt::Display) -> Error {
    Error::peer(transport.name(), what)
}

impl Speaker {
    /// Connects.
    pub fn new(
        transport: Transport,
        rest: &str,
        grpc: &str,
        collection: &str,
        dim: usize,
    ) -> Result<Speaker> {
        let wire = match transport {
            Transport::Grpc => Wire::Grpc(Client::new(grpc)?),
            Transport::Rest => Wire::Rest {
                agent: agent(),
                url: format!("{}/collections/{collection}", rest.trim_end_matches('/')),
            },
        };
        Ok(Speaker {
            wire,
            collection: collection.to_owned(),
            dim,
        })
    }

    fn rest(agent: &Agent, method: Method, url: &str, body: Option<&Value>) -> Result<Value> {
        let bytes = body.map(Value::to_string);
        call(agent, method, url, bytes.as_deref().map(str::as_bytes))
    }

    /// Makes the collection.
    pub fn create(&self) -> Result<()> {
        match &self.wire {
            Wire::Grpc(client) => {
                let vectors = VectorParamsBuilder::new(self.dim as u64, Distance::Dot);
                let request = CreateCollectionBuilder::new(&self.collection).vectors_config(vectors);
                client.wait(client.client.create_collection(request)).map(drop)
            }
            Wire::Rest { agent, url } => {
                let body = json!({"vectors": {"size": self.dim, "distance": "Dot"}});
                Self::rest(agent, Method::Put, url, Some(&body)).map(drop)
            }
        }
    }

    /// Writes points: ids with their values.
    pub fn upsert(&self, points: &[(u64, u64)]) -> Result<()> {
        match &self.wire {
            Wire::Grpc(client) => {
                let point = |&(id, value): &(u64, u64)| {
                    PointStruct::new(id, vector(value, self.dim), [("n", (value as i64).into())])
                };
                let points: Vec<PointStruct> = points.iter().map(point).collect();
                let request = UpsertPointsBuilder::new(&self.collection, points).wait(true);
                client.wait(client.client.upsert_points(request)).map(drop)
            }
            Wire::Rest { agent, url } => {
                let point = |&(id, value): &(u64, u64)| json!({"id": id, "vector": vector(value, self.dim), "payload": {"n": value}});
                let body = json!({"points": points.iter().map(point).collect::<Vec<_>>()});
                let url = format!("{url}/points?wait=true");
                Self::rest(agent, Method::Put, &url, Some(&body)).map(drop)
            }
        }
    }

    /// Deletes points.
    pub fn delete(&self, ids: &[u64]) -> Result<()> {
        match &self.wire {
            Wire::Grpc(client) => {
                let request = DeletePointsBuilder::new(&self.collection)
                    .points(list(ids))
                    .wait(true);
                client.wait(client.client.delete_points(request)).map(drop)
            }
            Wire::Rest { agent, url } => {
                let url = format!("{url}/points/delete?wait=true");
                Self::rest(agent, Method::Post, &url, Some(&json!({"points": ids}))).map(drop)
            }
        }
    }

    /// Notes something on points that are there, beside their values.
    pub fn note(&self, ids: &[u64], note: u64) -> Result<()> {
        match &self.wire {
            Wire::Grpc(client) => {
                let payload: std::collections::HashMap<String, qdrant_client::qdrant::Value> =
                    [("note".to_owned(), (note as i64).into())].into();
                let request = SetPayloadPointsBuilder::new(&self.collection, payload)
                    .points_selector(list(ids))
                    .wait(true);
                client.wait(client.client.set_payload(request)).map(drop)
            }
            Wire::Rest { agent, url } => {
                let url = format!("{url}/points/payload?wait=true");
                let body = json!({"points": ids, "payload": {"note": note}});
                Self::rest(agent, Method::Post, &url, Some(&body)).map(drop)
            }
        }
    }

    /// The values of those of the points that are there. A point whose vector is not that of its value is an error.
    pub fn get(&self, ids: &[u64]) -> Result<BTreeMap<u64, u64>> {
        let found = match &self.wire {
            Wire::Grpc(client) => self.get_grpc(client, ids)?,
            Wire::Rest { agent, url } => self.get_rest(agent, url, ids)?,
        };
        let mut values = BTreeMap::new();
        for (id, value, first) in found {
            if first != (value % MOST) as f32 {
                let what = format!("point {id} has the payload {value} and the vector of {first}");
                return Err(failed(self.transport(), what));
            }
            values.insert(id, value);
        }
        Ok(values)
    }

    fn get_grpc(&self, client: &Client, ids: &[u64]) -> Result<Vec<(u64, u64, f32)>> {
        let ids: Vec<PointId> = ids.iter().map(|&id| id.into()).collect();
        let request = GetPointsBuilder::new(&self.collection, ids)
            .with_payload(true)
            .with_vectors(true);
        let answer = client.wait(client.client.get_points(request))?;
        let read = |point: qdrant_client::qdrant::RetrievedPoint| -> Option<(u64, u64, f32)> {
            let id = number(point.id.as_ref()?)?;
            let value::Kind::IntegerValue(value) = point.payload.get("n")?.kind.as_ref()? else {
                return None;
            };
            let value = u64::try_from(*value).ok()?;
            let vector = point.vectors?.get_vector()?;
            let qdrant_client::qdrant::vector_output::Vector::Dense(dense) = vector else {
                return None;
            };
            Some((id, value, *dense.data.first()?))
        };
        let points: Option<Vec<_>> = answer.result.into_iter().map(read).collect();
        points.ok_or_else(|| failed(Transport::Grpc, "a point without payload or vector"))
    }

    fn get_rest(&self, agent: &Agent, url: &str, ids: &[u64]) -> Result<Vec<(u64, u64, f32)>> {
        let body = json!({"ids": ids, "with_payload": true, "with_vector": true});
        let answer = Self::rest(agent, Method::Post, &format!("{url}/points"), Some(&body))?;
        let read = |point: &Value| -> Option<(u64, u64, f32)> {
            let first = point.pointer("/vector/0")?.as_f64()?;
            Some((
                point.get("id")?.as_u64()?,
                point.pointer("/payload/n")?.as_u64()?,
                first as f32,
            ))
        };
        let points = answer.get("result").and_then(Value::as_array);
        let points: Option<Vec<_>> = points.and_then(|points| points.iter().map(read).collect());
        points.ok_or_else(|| {
            failed(
                Transport::Rest,
                format!("points without payload or vector: {answer}"),
            )
        })
    }

    /// The nearest points to a value's vector: how many came.
    pub fn search(&self, value: u64, limit: u64) -> Result<usize> {
        let vector = vector(value, self.dim);
        match &self.wire {
            Wire::Grpc(client) => {
                let request = QueryPointsBuilder::new(&self.collection)
                    .query(Query::new_nearest(vector))
                    .limit(limit);
                Ok(client.wait(client.client.query(request))?.result.len())
            }
            Wire::Rest { agent, url } => {
                let body = json!({"query": vector, "limit": limit});
                let answer = Self::rest(agent, Method::Post, &format!("{url}/points/query"), Some(&body))?;
                let points = answer.pointer("/result/points").and_then(Value::as_array);
                Ok(points.map_or(0, Vec::len))
            }
        }
    }

    /// A page of points from an id on: how many came.
    pub fn scroll(&self, from: u64, limit: u32) -> Result<usize> {
        match &self.wire {
            Wire::Grpc(client) => {
                let request = ScrollPointsBuilder::new(&self.collection)
                    .offset(from)
                    .limit(limit);
                Ok(client.wait(client.client.scroll(request))?.result.len())
            }
            Wire::Rest { agent, url } => {
                let body = json!({"offset": from, "limit": limit});
                let answer = Self::rest(agent, Method::Post, &format!("{url}/points/scroll"), Some(&body))?;
                let points = answer.pointer("/result/points").and_then(Value::as_array);
                Ok(points.map_or(0, Vec::len))
            }
        }
    }

    /// How many points have a value below a bound.
    pub fn count(&self, below: u64) -> Result<u64> {
        match &self.wire {
            Wire::Grpc(client) => {
                let range = Range {
                    lt: Some(below as f64),
                    ..Range::default()
                };
                let request = CountPointsBuilder::new(&self.collection)
                    .filter(Filter::must([Condition::range("n", range)]))
                    .exact(true);
                let answer = client.wait(client.client.count(request))?;
                Ok(answer.result.map_or(0, |result| result.count))
            }
            Wire::Rest { agent, url } => {
                let body = json!({"filter": {"must": [{"key": "n", "range": {"lt": below}}]}, "exact": true});
                let answer = Self::rest(agent, Method::Post, &format!("{url}/points/count"), Some(&body))?;
                Ok(answer
                    .pointer("/result/count")
                    .and_then(Value::as_u64)
                    .unwrap_or(0))
            }
        }
    }

    /// Which way it speaks.
    pub fn transport(&self) -> Transport {
        match &self.wire {
            Wire::Grpc(_) => Transport::Grpc,
            Wire::Rest { .. } => Transport::Rest,
        }
    }
}

fn list(ids: &[u64]) -> PointsIdsList {
    PointsIdsList {
        ids: ids.iter().map(|&id| id.into()).collect(),
    }
}

fn number(id: &PointId) -> Option<u64> {
    match id.point_id_options.as_ref()? {
        point_id::PointIdOptions::Num(number) => Some(*number),
        point_id::PointIdOptions::Uuid(_) => None,
    }
}
