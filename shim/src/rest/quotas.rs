//! Quotas of what a node takes of its machine.
//!
//! They can be told and are told again; none is enforced, so that turning one on is refused.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::App;
use super::envelope::answer;
use super::extract::{Json, Params};
use crate::service::{Problems, ServiceError};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/quotas", get(status).put(change))
}

/// What is to be refused, as clients say it.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct Quotas {
    #[serde(default)]
    enabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_resident_memory_percent: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_disk_usage_percent: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    release_margin_percent: Option<u8>,
}

impl Quotas {
    fn check(&self) -> Result<(), ServiceError> {
        let mut problems = Problems::new();
        for (name, limit) in [
            ("max_resident_memory_percent", self.max_resident_memory_percent),
            ("max_disk_usage_percent", self.max_disk_usage_percent),
        ] {
            problems.within(name, limit, 1, 100);
        }
        problems.within("release_margin_percent", self.release_margin_percent, 0, 100);
        problems.finish()?;
        let limited = self.max_resident_memory_percent.is_some() || self.max_disk_usage_percent.is_some();
        if self.enabled && limited {
            return Err(ServiceError::bad_request(
                "quotas are not enforced here and cannot be enabled: bound the process from outside (a cgroup, a disk \
                 quota), or set max_points_count and its like in the strict mode of collections",
            ));
        }
        Ok(())
    }

    /// What telemetry tells. A limit that is not enforced can be neither kept nor exceeded.
    pub(super) fn telemetry(&self) -> Value {
        json!({ "config": self, "exceeded": { "resident_memory": null, "disk_usage": null } })
    }
}

async fn status(State(app): State<App>) -> Response {
    answer(async move {
        let config = app.quotas.lock().clone();
        Ok(json!({
            "config": config,
            "usage": { "resident_memory_percent": null, "disk_usage_percent": null },
        }))
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
    Json(quotas): Json<Quotas>,
) -> Response {
    answer(async move {
        quotas.check()?;
        *app.quotas.lock() = quotas;
        Ok(true)
    })
    .await
}
