//! Named vectors that a collection gets and loses.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::put;
use serde::Deserialize;

use super::App;
use super::envelope::answer;
use super::extract::{At, Json, Params, WriteParams};
use super::wire::Bodies;
use crate::service::NamedVectorSettings;
use crate::service::settings::{
    Datatype, DistanceName, Modifier, MultivectorSettings, SparseIndexSettings, SparseVectorSettings,
    VectorSettings,
};

pub(super) fn routes() -> Router<App> {
    let path = "/collections/{collection_name}/vectors/{vector_name}";
    Router::new().route(path, put(create).delete(remove))
}

/// How bodies are read.
pub(super) const BODIES: Bodies = &[("vector", |bytes| serde_json::from_slice::<Body>(bytes).is_ok())];

#[derive(Deserialize)]
struct Dense {
    size: u64,
    distance: DistanceName,
    multivector_config: Option<MultivectorSettings>,
    datatype: Option<Datatype>,
}

#[derive(Deserialize)]
struct Sparse {
    modifier: Option<Modifier>,
    datatype: Option<Datatype>,
}

/// One of these; other keys are not minded.
#[derive(Deserialize)]
#[serde(expecting = "an object with `dense` or `sparse`")]
struct BodyFields {
    dense: Option<Dense>,
    sparse: Option<Sparse>,
}

#[derive(Deserialize)]
#[serde(try_from = "BodyFields")]
enum Body {
    Dense(Dense),
    Sparse(Sparse),
}

impl TryFrom<BodyFields> for Body {
    type Error = &'static str;

    fn try_from(fields: BodyFields) -> Result<Self, Self::Error> {
        let sparse = fields.sparse.map(Body::Sparse);
        let body = fields.dense.map(Body::Dense).or(sparse);
        body.ok_or("expected `dense` or `sparse`")
    }
}

impl From<Body> for NamedVectorSettings {
    fn from(body: Body) -> Self {
        match body {
            Body::Dense(dense) => NamedVectorSettings::Dense(VectorSettings {
                multivector_config: dense.multivector_config,
                datatype: dense.datatype,
                ..VectorSettings::new(dense.size, dense.distance)
            }),
            Body::Sparse(sparse) => NamedVectorSettings::Sparse(SparseVectorSettings {
                modifier: sparse.modifier,
                index: sparse.datatype.map(|datatype| SparseIndexSettings {
                    datatype: Some(datatype),
                    ..SparseIndexSettings::default()
                }),
            }),
        }
    }
}

async fn create(
    State(app): State<App>,
    At((collection, name)): At<(String, String)>,
    Params(params): Params<WriteParams>,
    Json(body): Json<Body>,
) -> Response {
    answer(async move {
        let options = params.options()?;
        let service = &app.service;
        Ok(service
            .create_vector(&collection, &name, body.into(), options)
            .await?)
    })
    .await
}

async fn remove(
    State(app): State<App>,
    At((collection, name)): At<(String, String)>,
    Params(params): Params<WriteParams>,
) -> Response {
    answer(async move {
        let options = params.options()?;
        Ok(app.service.delete_vector(&collection, &name, options).await?)
    })
    .await
}
