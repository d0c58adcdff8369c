//! Over REST.

use std::path::Path;

use serde::Serialize;
use serde_json::{Map, Value, json};
use ureq::Agent;
use vdb_benches::{Dataset, Error, Question, Result, Store, Writer};
use vdb_measure::Setting;

use crate::server::{Connection, Idle, Params, QUANTILE, Server, State, distance_name, durability, renew};

const NAME: &str = "REST";
/// Largest answer that is read, in bytes: ids of ten points take far less.
const MOST_BYTES: u64 = 64 << 20;

fn failed(error: impl std::fmt::Display) -> Error {
    Error::peer(NAME, error)
}

#[derive(Clone, Copy)]
pub(crate) enum Method {
    Get,
    Put,
    Post,
    Delete,
}

/// Sends a request and reads the answer; one that is no success is an error with its text.
pub(crate) fn call(agent: &Agent, method: Method, url: &str, body: Option<&[u8]>) -> Result<Value> {
    let bytes = send(agent, method, url, body)?;
    serde_json::from_slice(&bytes).map_err(|e| failed(format!("{url}: {e}")))
}

fn send(agent: &Agent, method: Method, url: &str, body: Option<&[u8]>) -> Result<Vec<u8>> {
    let body = body.unwrap_or_default();
    let sent = match method {
        Method::Get => agent.get(url).call(),
        Method::Delete => agent.delete(url).call(),
        Method::Put => agent.put(url).content_type("application/json").send(body),
        Method::Post => agent.post(url).content_type("application/json").send(body),
    };
    let mut answer = sent.map_err(|e| failed(format!("{url}: {e}")))?;
    let bytes = answer.body_mut().with_config().limit(MOST_BYTES).read_to_vec();
    let bytes = bytes.map_err(|e| failed(format!("{url}: {e}")))?;
    if !answer.status().is_success() {
        let text = String::from_utf8_lossy(&bytes);
        return Err(failed(format!("{url}: {}: {text}", answer.status())));
    }
    Ok(bytes)
}

pub(crate) fn agent() -> Agent {
    Agent::config_builder().http_status_as_error(false).build().into()
}

// Numbers of vectors are written from `f32`: as JSON values they would be `f64`, of twice as many digits.

#[derive(Serialize)]
struct Points<'a> {
    points: Vec<Point<'a>>,
}

#[derive(Serialize)]
struct Point<'a> {
    id: u64,
    vector: &'a [f32],
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<&'a Map<String, Value>>,
}

#[derive(Serialize)]
struct Query<'a> {
    query: &'a [f32],
    limit: usize,
    params: Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    filter: Option<&'a Value>,
}

fn bytes(body: &impl Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec(body).map_err(failed)
}

/// Where points are written, below the collection; the answer comes when they are applied.
const UPSERT: &str = "/points?wait=true";

/// Points with numbers from `first` on, as they are sent.
fn points(first: u64, vectors: &[&[f32]], payloads: &[Map<String, Value>]) -> Result<Vec<u8>> {
    let points = (first..)
        .zip(vectors)
        .enumerate()
        .map(|(at, (id, vector))| Point {
            id,
            vector,
            payload: payloads.get(at),
        });
    bytes(&Points {
        points: points.collect(),
    })
}

/// The collection, as something that is written to.
struct RestStore<'a> {
    idle: &'a Idle<Agent>,
    url: String,
}

impl Store for RestStore<'_> {
    type Batch = Vec<u8>;

    fn batch(&self, first: usize, vectors: &[&[f32]]) -> Result<Vec<u8>> {
        points(first as u64, vectors, &[])
    }

    fn write(&self, batch: Vec<u8>) -> Result<()> {
        let open = || Ok(agent());
        self.idle
            .with(open, |agent| call(agent, Method::Put, &self.url, Some(&batch)))
            .map(|_| ())
    }
}

/// A server over REST.
pub struct Rest {
    url: String,
    collection: String,
    agent: Agent,
    writing: Idle<Agent>,
}

impl Rest {
    /// The collection of the server at `url`, as `http://localhost:6333`.
    pub fn new(url: &str, collection: &str) -> Rest {
        Rest {
            url: url.trim_end_matches('/').to_owned(),
            collection: format!("{}/collections/{collection}", url.trim_end_matches('/')),
            agent: agent(),
            writing: Idle::default(),
        }
    }

    fn call(&self, method: Method, path: &str, body: Option<&[u8]>) -> Result<Value> {
        call(&self.agent, method, &format!("{}{path}", self.collection), body)
    }
}

impl Server for Rest {
    fn transport(&self) -> &'static str {
        "rest"
    }

    fn beside(&self, collection: &str) -> Box<dyn Server> {
        Box::new(Rest::new(&self.url, collection))
    }

    fn name(&self) -> Result<String> {
        let about = call(&self.agent, Method::Get, &format!("{}/", self.url), None)?;
        let version = about.get("version").and_then(Value::as_str);
        Ok(format!(
            "qdrant {}",
            version.ok_or_else(|| failed("it tells no version"))?
        ))
    }

    fn exists(&self) -> Result<bool> {
        let answer = self.call(Method::Get, "/exists", None)?;
        let exists = answer.pointer("/result/exists").and_then(Value::as_bool);
        exists.ok_or_else(|| failed(format!("does the collection exist? {answer}")))
    }

    fn create(&self, params: &Params) -> Result<()> {
        let mut body = json!({"vectors": {"size": params.dim, "distance": distance_name(params.distance)}});
        if params.int8 {
            let codes = json!({"type": "int8", "quantile": QUANTILE, "always_ram": true});
            body["quantization_config"] = json!({"scalar": codes});
        }
        self.call(Method::Put, "", Some(&bytes(&body)?)).map(|_| ())
    }

    fn index(&self, path: &str, kind: &str) -> Result<()> {
        let body = json!({"field_name": path, "field_schema": kind});
        self.call(Method::Put, "/index?wait=true", Some(&bytes(&body)?))
            .map(|_| ())
    }

    fn upsert(&self, first: u64, vectors: &[&[f32]], payloads: &[Map<String, Value>]) -> Result<()> {
        let body = points(first, vectors, payloads)?;
        self.call(Method::Put, UPSERT, Some(&body)).map(|_| ())
    }

    fn writer<'a>(&'a self, set: &'a Dataset) -> Result<Writer<'a>> {
        let make = move |_: &Path| {
            renew(self, set)?;
            let url = format!("{}{UPSERT}", self.collection);
            Ok(RestStore {
                idle: &self.writing,
                url,
            })
        };
        let durability = durability(self.transport());
        Ok(Writer::new(set, &self.name()?, &durability, false, make))
    }

    fn state(&self) -> Result<State> {
        let answer = self.call(Method::Get, "", None)?;
        let count = |path: &str| answer.pointer(path).and_then(Value::as_u64).unwrap_or(0);
        let status = answer.pointer("/result/status").and_then(Value::as_str);
        Ok(State {
            green: status.ok_or_else(|| failed(format!("no status in {answer}")))? == "green",
            points: count("/result/points_count"),
            segments: count("/result/segments_count"),
        })
    }

    fn delete(&self) -> Result<()> {
        self.call(Method::Delete, "", None).map(|_| ())
    }

    fn connect(&self) -> Result<Box<dyn Connection>> {
        Ok(Box::new(RestConnection {
            agent: agent(),
            url: format!("{}/points/query", self.collection),
            health: format!("{}/healthz", self.url),
            bodies: Vec::new(),
        }))
    }
}

struct RestConnection {
    agent: Agent,
    url: String,
    health: String,
    bodies: Vec<Vec<u8>>,
}

impl Connection for RestConnection {
    fn prepare(&mut self, question: &Question<'_>, int8: bool) -> Result<()> {
        let mut params = Map::new();
        match question.setting {
            Setting::Default => {}
            Setting::Ef(ef) => {
                params.insert("hnsw_ef".to_owned(), json!(ef));
            }
            Setting::Exact => {
                params.insert("exact".to_owned(), json!(true));
            }
        }
        if int8 {
            params.insert(
                "quantization".to_owned(),
                json!({"rescore": true, "oversampling": 2.0}),
            );
        }
        self.bodies.push(bytes(&Query {
            query: question.vector,
            limit: question.limit,
            params,
            filter: question.filter,
        })?);
        Ok(())
    }

    fn clear(&mut self) {
        self.bodies.clear();
    }

    fn ask(&mut self, question: usize) -> Result<Vec<u64>> {
        let body = self.bodies.get(question).map(Vec::as_slice);
        let answer = call(&self.agent, Method::Post, &self.url, body)?;
        let points = answer.pointer("/result/points").and_then(Value::as_array);
        let points = points.ok_or_else(|| failed(format!("no points in {answer}")))?;
        Ok(points
            .iter()
            .filter_map(|point| point.get("id")?.as_u64())
            .collect())
    }

    fn health(&mut self) -> Result<()> {
        send(&self.agent, Method::Get, &self.health, None).map(drop)
    }
}
