//! Quotas of what a node takes of its machine.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use serde::Deserialize;
use serde_json::json;

use super::App;
use super::envelope::answer;
use super::extract::{Json, Params};
use crate::service::QuotaLimits;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/quotas", get(status).put(change))
}

async fn status(State(app): State<App>) -> Response {
    answer(async move {
        let usage = app.service.quota_usage().await?;
        Ok(json!({ "config": app.service.quota_limits(), "usage": usage }))
    })
    .await
}

#[derive(Deserialize)]
struct ChangeParams {
    /// A change is in force when it is answered.
    #[serde(default, rename = "wait")]
    _wait: bool,
}

async fn change(
    State(app): State<App>,
    Params(_): Params<ChangeParams>,
    Json(limits): Json<QuotaLimits>,
) -> Response {
    answer(async move {
        app.service.set_quota_limits(limits).await?;
        Ok(true)
    })
    .await
}
