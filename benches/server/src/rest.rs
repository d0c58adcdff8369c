//! Over REST.

use serde_json::{Map, Value, json};
use ureq::Agent;
use vdb_benches::{Error, Question, Result, Setting};

use crate::server::{Connection, Params, QUANTILE, Server, State, distance_name};

const NAME: &str = "REST";
/// Largest answer that is read, in bytes: ids of ten points take far less.
const MOST_BYTES: u64 = 64 << 20;

fn failed(error: impl std::fmt::Display) -> Error {
    Error::peer(NAME, error)
}

#[derive(Clone, Copy)]
enum Method {
    Get,
    Put,
    Post,
    Delete,
}

/// Sends a request and reads the answer's `result`; an answer that is no success is an error with its text.
fn call(agent: &Agent, method: Method, url: &str, body: Option<&[u8]>) -> Result<Value> {
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
    serde_json::from_slice(&bytes).map_err(|e| failed(format!("{url}: {e}")))
}

fn agent() -> Agent {
    Agent::config_builder().http_status_as_error(false).build().into()
}

fn bytes(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

/// A server over REST.
pub struct Rest {
    url: String,
    collection: String,
    agent: Agent,
}

impl Rest {
    /// The collection of the server at `url`, as `http://localhost:6333`.
    pub fn new(url: &str, collection: &str) -> Rest {
        Rest {
            url: url.trim_end_matches('/').to_owned(),
            collection: format!("{}/collections/{collection}", url.trim_end_matches('/')),
            agent: agent(),
        }
    }

    fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value> {
        let url = format!("{}{path}", self.collection);
        call(&self.agent, method, &url, body.map(bytes).as_deref())
    }
}

impl Server for Rest {
    fn transport(&self) -> &'static str {
        "rest"
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
        self.call(Method::Put, "", Some(&body)).map(|_| ())
    }

    fn index(&self, path: &str, kind: &str) -> Result<()> {
        let body = json!({"field_name": path, "field_schema": kind});
        self.call(Method::Put, "/index?wait=true", Some(&body))
            .map(|_| ())
    }

    fn upsert(&self, first: u64, vectors: &[&[f32]], payloads: &[Map<String, Value>]) -> Result<()> {
        let points = (first..).zip(vectors).enumerate().map(|(at, (id, vector))| {
            let mut point = json!({"id": id, "vector": vector});
            if let Some(payload) = payloads.get(at) {
                point["payload"] = Value::Object(payload.clone());
            }
            point
        });
        let body = json!({"points": points.collect::<Vec<_>>()});
        self.call(Method::Put, "/points?wait=true", Some(&body))
            .map(|_| ())
    }

    fn state(&self) -> Result<State> {
        let answer = self.call(Method::Get, "", None)?;
        let status = answer.pointer("/result/status").and_then(Value::as_str);
        Ok(State {
            green: status.ok_or_else(|| failed(format!("no status in {answer}")))? == "green",
            points: answer
                .pointer("/result/points_count")
                .and_then(Value::as_u64)
                .unwrap_or(0),
        })
    }

    fn delete(&self) -> Result<()> {
        self.call(Method::Delete, "", None).map(|_| ())
    }

    fn connect(&self) -> Result<Box<dyn Connection>> {
        Ok(Box::new(RestConnection {
            agent: agent(),
            url: format!("{}/points/query", self.collection),
            bodies: Vec::new(),
        }))
    }
}

struct RestConnection {
    agent: Agent,
    url: String,
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
        let mut body = json!({"query": question.vector, "limit": question.limit, "params": params});
        if let Some(filter) = question.filter {
            body["filter"] = filter.clone();
        }
        self.bodies.push(bytes(&body));
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
}
