//! Points by id, pages, counts, facets, matrices.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use vdb::{FacetRequest, FacetValue, MatrixRequest, PointId, ScrollRequest, Select};

use super::App;
use super::envelope::{Failure, answer};
use super::extract::{At, Json, Params, ReadParams};
use super::query::OrderByBody;
use super::wire::{
    Bodies, RecordOut, ShardKeys, WireFilter, WirePath, WithPayload, WithVector, optional, select,
};
use crate::service::{Problems, ScrollAsk, ServiceError};

pub(super) fn routes() -> Router<App> {
    let points = "/collections/{collection_name}/points";
    let below = |path: &str| format!("{points}/{path}");
    Router::new()
        .route(points, post(get_many))
        .route(&below("{id}"), get(get_one))
        .route(&below("scroll"), post(scroll))
        .route(&below("count"), post(count))
        .route("/collections/{collection_name}/facet", post(facet))
        .route(&below("search/matrix/pairs"), post(matrix_pairs))
        .route(&below("search/matrix/offsets"), post(matrix_offsets))
}

/// How bodies are read.
pub(super) const BODIES: Bodies = &[
    ("get", |bytes| serde_json::from_slice::<GetBody>(bytes).is_ok()),
    ("scroll", |bytes| {
        serde_json::from_slice::<ScrollBody>(bytes).is_ok_and(|body| body.ask().is_ok())
    }),
    ("count", |bytes| {
        serde_json::from_slice::<CountBody>(bytes).is_ok_and(|body| optional(body.filter, COUNTED).is_ok())
    }),
    ("facet", |bytes| {
        serde_json::from_slice::<FacetBody>(bytes).is_ok_and(|body| body.request().is_ok())
    }),
    ("matrix", |bytes| {
        serde_json::from_slice::<MatrixBody>(bytes).is_ok_and(|body| body.request().is_ok())
    }),
];

/// A number that fits the memory of no machine is as good as any other that is never reached.
pub(super) fn number(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

async fn get_one(
    State(app): State<App>,
    At((collection, id)): At<(String, String)>,
    Params(params): Params<ReadParams>,
) -> Response {
    answer(async move {
        let options = params.options()?;
        let id: PointId = id
            .parse()
            .map_err(|_| ServiceError::bad_input(format!("Can not recognize \"{id}\" as point id")))?;
        let found = app
            .service
            .get(&collection, vec![id], Select::all(), options)
            .await?;
        let record = found.into_iter().next();
        record
            .map(RecordOut::from)
            .ok_or_else(|| ServiceError::not_found(format!("Point with id {id} does not exists!")).into())
    })
    .await
}

#[derive(Deserialize)]
struct GetBody {
    ids: Vec<PointId>,
    with_payload: Option<WithPayload>,
    #[serde(alias = "with_vectors")]
    with_vector: Option<WithVector>,
    shard_key: Option<ShardKeys>,
}

async fn get_many(
    State(app): State<App>,
    At(collection): At<String>,
    Params(params): Params<ReadParams>,
    Json(body): Json<GetBody>,
) -> Response {
    answer(async move {
        let options = params.options()?;
        ShardKeys::refuse_read(body.shard_key.as_ref())?;
        let select = select(body.with_payload, body.with_vector, false);
        let found = app.service.get(&collection, body.ids, select, options).await?;
        Ok(found.into_iter().map(RecordOut::from).collect::<Vec<_>>())
    })
    .await
}

#[derive(Deserialize)]
struct ScrollBody {
    offset: Option<PointId>,
    limit: Option<u64>,
    filter: Option<WireFilter>,
    with_payload: Option<WithPayload>,
    #[serde(alias = "with_vectors")]
    with_vector: Option<WithVector>,
    order_by: Option<OrderByBody>,
    shard_key: Option<ShardKeys>,
}

impl ScrollBody {
    fn ask(self) -> Result<ScrollAsk, Failure> {
        let mut problems = Problems::new();
        problems.at_least("scroll_request.limit", self.limit, 1);
        problems.finish()?;
        ShardKeys::refuse_read(self.shard_key.as_ref())?;
        let scroll = ScrollRequest {
            offset: self.offset,
            limit: self.limit.map_or(10, number),
            filter: optional(self.filter, "scroll_request.filter")?,
            select: select(self.with_payload, self.with_vector, true),
            timeout: None,
        };
        let order_by = self.order_by.map(OrderByBody::order).transpose()?;
        Ok(ScrollAsk { scroll, order_by })
    }
}

/// A page. An answer is written as it is: by way of a [`Value`] numbers of four bytes would become others.
#[derive(Serialize)]
struct Page {
    points: Vec<RecordOut>,
    next_page_offset: Option<PointId>,
}

async fn scroll(
    State(app): State<App>,
    At(collection): At<String>,
    Params(params): Params<ReadParams>,
    Json(body): Json<ScrollBody>,
) -> Response {
    answer(async move {
        let options = params.options()?;
        let page = app.service.scroll(&collection, body.ask()?, options).await?;
        Ok(Page {
            points: page.points.into_iter().map(RecordOut::from).collect(),
            next_page_offset: page.next_offset,
        })
    })
    .await
}

/// Where the filter of a count stands, as errors call it.
const COUNTED: &str = "count_request.filter";

#[derive(Deserialize)]
struct CountBody {
    filter: Option<WireFilter>,
    #[serde(default = "exactly")]
    exact: bool,
    shard_key: Option<ShardKeys>,
}

fn exactly() -> bool {
    true
}

async fn count(
    State(app): State<App>,
    At(collection): At<String>,
    Params(params): Params<ReadParams>,
    Json(body): Json<CountBody>,
) -> Response {
    answer(async move {
        let options = params.options()?;
        ShardKeys::refuse_read(body.shard_key.as_ref())?;
        let filter = optional(body.filter, COUNTED)?;
        let count = app
            .service
            .count(&collection, filter, body.exact, options)
            .await?;
        Ok(json!({ "count": count }))
    })
    .await
}

#[derive(Deserialize)]
struct FacetBody {
    key: WirePath,
    limit: Option<u64>,
    filter: Option<WireFilter>,
    /// They are counted exactly whatever it says; a collection may forbid to ask for it.
    exact: Option<bool>,
    shard_key: Option<ShardKeys>,
}

impl FacetBody {
    fn request(self) -> Result<FacetRequest, ServiceError> {
        let mut problems = Problems::new();
        problems.at_least("facet_request.limit", self.limit, 1);
        problems.finish()?;
        ShardKeys::refuse_read(self.shard_key.as_ref())?;
        let mut request = FacetRequest::new(self.key.into_text()).limit(self.limit.map_or(10, number));
        request.filter = optional(self.filter, "facet_request.filter")?;
        Ok(request)
    }
}

async fn facet(
    State(app): State<App>,
    At(collection): At<String>,
    Params(params): Params<ReadParams>,
    Json(body): Json<FacetBody>,
) -> Response {
    answer(async move {
        let options = params.options()?;
        let exact = body.exact.unwrap_or(false);
        let request = body.request()?;
        let hits = app.service.facet(&collection, request, exact, options).await?;
        let hits = hits.iter().map(|hit| {
            let value = match &hit.value {
                FacetValue::String(text) => Value::from(text.as_str()),
                FacetValue::Integer(number) => Value::from(*number),
                FacetValue::Bool(truth) => Value::from(*truth),
            };
            json!({ "value": value, "count": hit.count })
        });
        Ok(json!({ "hits": hits.collect::<Vec<_>>() }))
    })
    .await
}

#[derive(Deserialize)]
struct MatrixBody {
    filter: Option<WireFilter>,
    sample: Option<u64>,
    limit: Option<u64>,
    using: Option<String>,
    shard_key: Option<ShardKeys>,
}

impl MatrixBody {
    fn request(self) -> Result<MatrixRequest, ServiceError> {
        let mut problems = Problems::new();
        problems.at_least("search_request.sample", self.sample, 2);
        problems.at_least("search_request.limit", self.limit, 1);
        problems.finish()?;
        ShardKeys::refuse_read(self.shard_key.as_ref())?;
        let mut request = MatrixRequest::new()
            .sample(self.sample.map_or(10, number))
            .limit(self.limit.map_or(3, number))
            .using(self.using.unwrap_or_default());
        request.filter = optional(self.filter, "search_request.filter")?;
        Ok(request)
    }
}

#[derive(Serialize)]
struct Pair {
    a: PointId,
    b: PointId,
    score: f32,
}

#[derive(Serialize)]
struct Pairs {
    pairs: Vec<Pair>,
}

#[derive(Serialize)]
struct Offsets {
    offsets_row: Vec<usize>,
    offsets_col: Vec<usize>,
    scores: Vec<f32>,
    ids: Vec<PointId>,
}

async fn matrix_pairs(
    State(app): State<App>,
    At(collection): At<String>,
    Params(params): Params<ReadParams>,
    Json(body): Json<MatrixBody>,
) -> Response {
    answer(async move {
        let options = params.options()?;
        let matrix = app.service.matrix(&collection, body.request()?, options).await?;
        let pairs = matrix.pairs().map(|(a, b, score)| Pair { a, b, score });
        Ok(Pairs {
            pairs: pairs.collect(),
        })
    })
    .await
}

async fn matrix_offsets(
    State(app): State<App>,
    At(collection): At<String>,
    Params(params): Params<ReadParams>,
    Json(body): Json<MatrixBody>,
) -> Response {
    answer(async move {
        let options = params.options()?;
        let matrix = app.service.matrix(&collection, body.request()?, options).await?;
        let (offsets_row, offsets_col, scores) = matrix.offsets();
        Ok(Offsets {
            offsets_row,
            offsets_col,
            scores,
            ids: matrix.ids,
        })
    })
    .await
}
