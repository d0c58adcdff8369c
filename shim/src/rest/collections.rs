//! Collections and aliases.

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use vdb::AliasChange;

use super::App;
use super::envelope::answer;
use super::extract::{At, Json, Params, TimeoutParam};
use super::guard::By;
use super::wire::Bodies;
use crate::service::settings::{CollectionSettings, SettingsUpdate};
use crate::service::{CollectionDescription, ConfigDescription, IndexDescription, Warning};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/collections", get(list))
        .route("/collections/aliases", post(change_aliases))
        .route(
            "/collections/{collection_name}",
            get(info).put(create).patch(update).delete(remove),
        )
        .route("/collections/{collection_name}/exists", get(exists))
        .route("/collections/{collection_name}/aliases", get(aliases_of))
        .route("/aliases", get(aliases))
}

/// How bodies are read.
pub(super) const BODIES: Bodies = &[
    ("create collection", |bytes| {
        serde_json::from_slice::<CollectionSettings>(bytes)
            .is_ok_and(|settings| settings.validate().is_ok() && settings.to_config().is_ok())
    }),
    ("update collection", |bytes| {
        serde_json::from_slice::<SettingsUpdate>(bytes).is_ok_and(|update| update.validate().is_ok())
    }),
    ("aliases", |bytes| {
        serde_json::from_slice::<ChangeAliases>(bytes).is_ok()
    }),
];

async fn list(State(app): State<App>, By(caller): By) -> Response {
    answer(async move {
        let names = app.service.on_behalf_of(&caller).list_collections().await?;
        let names: Vec<Value> = names.into_iter().map(|name| json!({ "name": name })).collect();
        Ok(json!({ "collections": names }))
    })
    .await
}

async fn create(
    State(app): State<App>,
    At(name): At<String>,
    Params(timeout): Params<TimeoutParam>,
    Json(settings): Json<CollectionSettings>,
) -> Response {
    answer(async move {
        timeout.check()?;
        Ok(app.service.create_collection(&name, settings).await?)
    })
    .await
}

async fn update(
    State(app): State<App>,
    At(name): At<String>,
    Params(timeout): Params<TimeoutParam>,
    Json(update): Json<SettingsUpdate>,
) -> Response {
    answer(async move {
        timeout.check()?;
        Ok(app.service.update_collection(&name, update).await?)
    })
    .await
}

async fn remove(
    State(app): State<App>,
    At(name): At<String>,
    Params(timeout): Params<TimeoutParam>,
) -> Response {
    answer(async move {
        timeout.check()?;
        Ok(app.service.delete_collection(&name).await?)
    })
    .await
}

async fn info(State(app): State<App>, At(name): At<String>) -> Response {
    answer(async move {
        let description = app.service.collection_info(&name).await?;
        Ok(Info::from(description))
    })
    .await
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum OptimizerStatus {
    Ok,
    Error(String),
}

#[derive(Serialize)]
struct Info {
    status: &'static str,
    optimizer_status: OptimizerStatus,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<Warning>,
    indexed_vectors_count: u64,
    points_count: u64,
    segments_count: u64,
    config: ConfigDescription,
    payload_schema: BTreeMap<String, IndexDescription>,
    update_queue: UpdateQueue,
}

/// Writes that are acknowledged and not carried out: there are none, one is the other.
#[derive(Serialize)]
struct UpdateQueue {
    length: u64,
}

impl From<CollectionDescription> for Info {
    fn from(description: CollectionDescription) -> Self {
        Info {
            status: description.colour(),
            optimizer_status: description
                .failure
                .map_or(OptimizerStatus::Ok, OptimizerStatus::Error),
            warnings: description.warnings,
            indexed_vectors_count: description.indexed_vectors_count,
            points_count: description.points_count,
            segments_count: description.segments_count,
            config: description.config,
            payload_schema: description.payload_schema,
            update_queue: UpdateQueue { length: 0 },
        }
    }
}

async fn exists(State(app): State<App>, At(name): At<String>) -> Response {
    answer(async move {
        let exists = app.service.collection_exists(&name).await?;
        Ok(json!({ "exists": exists }))
    })
    .await
}

fn alias_json(alias: &str, collection: &str) -> Value {
    json!({ "alias_name": alias, "collection_name": collection })
}

async fn aliases(State(app): State<App>, By(caller): By) -> Response {
    answer(async move {
        let all = app.service.on_behalf_of(&caller).list_aliases().await?;
        let all: Vec<Value> = all.iter().map(|(alias, of)| alias_json(alias, of)).collect();
        Ok(json!({ "aliases": all }))
    })
    .await
}

async fn aliases_of(State(app): State<App>, At(name): At<String>) -> Response {
    answer(async move {
        let all = app.service.collection_aliases(&name).await?;
        let all: Vec<Value> = all.iter().map(|alias| alias_json(alias, &name)).collect();
        Ok(json!({ "aliases": all }))
    })
    .await
}

#[derive(Deserialize)]
struct ChangeAliases {
    actions: Vec<AliasAction>,
}

/// One of these; other keys are not minded.
#[derive(Deserialize)]
#[serde(expecting = "an object with one change of an alias")]
struct AliasFields {
    create_alias: Option<CreateAlias>,
    delete_alias: Option<DeleteAlias>,
    rename_alias: Option<RenameAlias>,
}

#[derive(Deserialize)]
struct CreateAlias {
    collection_name: String,
    alias_name: String,
}

#[derive(Deserialize)]
struct DeleteAlias {
    alias_name: String,
}

#[derive(Deserialize)]
struct RenameAlias {
    old_alias_name: String,
    new_alias_name: String,
}

#[derive(Deserialize)]
#[serde(try_from = "AliasFields")]
struct AliasAction(AliasChange);

impl TryFrom<AliasFields> for AliasAction {
    type Error = &'static str;

    fn try_from(fields: AliasFields) -> Result<Self, Self::Error> {
        let create = fields.create_alias.map(|create| AliasChange::Create {
            alias: create.alias_name,
            collection: create.collection_name,
        });
        let delete = fields.delete_alias.map(|delete| AliasChange::Delete {
            alias: delete.alias_name,
        });
        let rename = fields.rename_alias.map(|rename| AliasChange::Rename {
            from: rename.old_alias_name,
            to: rename.new_alias_name,
        });
        let change = create.or(delete).or(rename).map(AliasAction);
        change.ok_or("expected one of `create_alias`, `delete_alias`, `rename_alias`")
    }
}

async fn change_aliases(
    State(app): State<App>,
    Params(timeout): Params<TimeoutParam>,
    Json(body): Json<ChangeAliases>,
) -> Response {
    answer(async move {
        timeout.check()?;
        let changes = body.actions.into_iter().map(|action| action.0).collect();
        Ok(app.service.update_aliases(changes).await?)
    })
    .await
}
