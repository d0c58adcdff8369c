//! Collections that are at the target already.

use std::path::Path;

use qdrant_client::qdrant as proto;
use serde_json::json;
use vdb::Database;
use vdb_migrate::{Action, Existing, MigrateError, Options};
use vdb_qdrant::Qdrant;

use super::fixture::{Fate, Faulty, Server, all_points, directory, fill, migrated, options, payload, status};

fn with(existing: Existing) -> Options {
    Options {
        existing,
        ..options()
    }
}

/// Both sides have `birds`, and the target one point more and one that differs.
async fn both() -> (Qdrant, Qdrant) {
    let (here, there) = (Qdrant::in_memory().unwrap(), Qdrant::in_memory().unwrap());
    fill(&here, 90).await;
    fill(&there, 60).await;
    there.upsert_points(change(2_000)).await.unwrap();
    there.upsert_points(change(1_234_567)).await.unwrap();
    (here, there)
}

/// Makes one of the `birds`, or changes it.
fn change(id: u64) -> proto::UpsertPointsBuilder {
    proto::UpsertPointsBuilder::new(
        "birds",
        vec![proto::PointStruct {
            id: Some(id.into()),
            payload: payload(json!({"changed": true})),
            vectors: Some(proto::Vectors {
                vectors_options: Some(proto::vectors::VectorsOptions::Vectors(
                    proto::NamedVectors::default(),
                )),
            }),
        }],
    )
    .wait(true)
}

#[tokio::test]
async fn strangers_are_refused_before_anything_is_done() {
    let (here, there) = both().await;
    let before = all_points(&there, "birds").await;
    let refused = migrated(here, there.clone(), options()).await.unwrap_err();
    assert!(matches!(refused, MigrateError::Conflict(_)));
    let told = refused.to_string();
    assert!(told.contains("--existing") && told.contains("--rename"), "{told}");
    assert_eq!(all_points(&there, "birds").await, before);
}

#[tokio::test]
async fn points_are_added() {
    let (here, there) = both().await;
    let report = migrated(here, there.clone(), with(Existing::Append))
        .await
        .unwrap();
    let verified = report.collections[0].verified.clone().unwrap();
    assert!(report.is_sound(), "{report:?}");
    assert_eq!((verified.extra, verified.target_points), (1, 91));
    assert_eq!(verified.source_checksum, verified.target_checksum);
    assert_eq!(all_points(&there, "birds").await.len(), 91);
}

#[tokio::test]
async fn a_collection_is_made_anew() {
    let (here, there) = both().await;
    migrated(here.clone(), there.clone(), with(Existing::Replace))
        .await
        .unwrap();
    assert_eq!(
        all_points(&here, "birds").await,
        all_points(&there, "birds").await
    );
}

#[tokio::test]
async fn a_collection_is_made_equal() {
    let (here, there) = both().await;
    let report = migrated(here.clone(), there.clone(), with(Existing::Sync))
        .await
        .unwrap();
    let one = &report.collections[0];
    assert_eq!(
        (one.action, one.copied, one.deleted),
        (Action::Sync, 31, 1),
        "30 that are missing and one that differs"
    );
    assert_eq!(
        all_points(&here, "birds").await,
        all_points(&there, "birds").await
    );
    let again = migrated(here, there, with(Existing::Sync)).await.unwrap();
    assert_eq!(
        (again.collections[0].copied, again.collections[0].deleted),
        (0, 0)
    );
}

#[tokio::test]
async fn other_vectors_are_no_place_for_points() {
    let (here, there) = (Qdrant::in_memory().unwrap(), Qdrant::in_memory().unwrap());
    fill(&here, 10).await;
    let vectors = proto::VectorParamsBuilder::new(4, proto::Distance::Dot);
    let create = proto::CreateCollectionBuilder::new("birds").vectors_config(vectors);
    there.create_collection(create).await.unwrap();
    let told = migrated(here, there, with(Existing::Append))
        .await
        .unwrap_err()
        .to_string();
    assert!(told.contains("vector") && told.contains("birds"), "{told}");
}

#[tokio::test]
async fn an_alias_that_stands_for_another_keeps_its_meaning_unless_all_is_replaced() {
    let (here, there) = (Qdrant::in_memory().unwrap(), Qdrant::in_memory().unwrap());
    fill(&here, 10).await;
    there
        .create_collection(proto::CreateCollectionBuilder::new("other"))
        .await
        .unwrap();
    there
        .create_alias(proto::CreateAliasBuilder::new("other", "aves"))
        .await
        .unwrap();
    let report = migrated(here.clone(), there.clone(), options()).await.unwrap();
    assert!(
        report.aliases.is_empty() && report.warnings[0].contains("aves"),
        "{report:?}"
    );
    assert_eq!(report.aliases_missing, ["aves"]);
    assert!(!report.is_sound() && report.collections[0].is_sound());
    let report = migrated(here, there.clone(), with(Existing::Replace))
        .await
        .unwrap();
    assert_eq!(report.aliases, ["aves"]);
    let aliases = there.list_collection_aliases("birds").await.unwrap().aliases;
    assert_eq!(aliases[0].alias_name, "aves");
}

#[tokio::test]
async fn a_target_name_that_is_an_alias_is_refused() {
    let (here, there) = (Qdrant::in_memory().unwrap(), Qdrant::in_memory().unwrap());
    fill(&here, 3).await;
    fill(&there, 3).await;
    let renamed = Options {
        rename: vec![("birds".to_owned(), "aves".to_owned())],
        ..options()
    };
    let told = migrated(here, there, renamed).await.unwrap_err().to_string();
    assert!(told.contains("alias"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_server_under_two_names_is_not_touched() {
    let server = Server::start().await;
    let (one, other) = (server.client().await, server.client().await);
    fill(&one, 40).await;
    for existing in [Existing::Replace, Existing::Sync, Existing::Append] {
        let refused = migrated(one.clone(), other.clone(), with(existing))
            .await
            .unwrap_err()
            .to_string();
        assert!(refused.contains("the same place"), "{refused}");
        assert_eq!(all_points(&one, "birds").await.len(), 40);
        let left = one.list_collections().await.unwrap().collections;
        assert_eq!(left.len(), 1, "{left:?}");
    }
}

/// Who only reads the directory that a writer has open.
fn reader(path: &Path) -> Qdrant {
    let reader = Database::builder()
        .background(false)
        .open_read_only(path)
        .unwrap();
    Qdrant::on(reader, path).unwrap()
}

#[tokio::test]
async fn a_directory_and_the_server_on_it_are_one_place() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("db");
    let writer = directory(&path);
    fill(&writer, 20).await;
    let reader = reader(&path);
    let refused = migrated(reader, Faulty::on(writer.clone()), with(Existing::Replace))
        .await
        .unwrap_err()
        .to_string();
    assert!(refused.contains("the same place"), "{refused}");
    assert_eq!(all_points(&writer, "birds").await.len(), 20);
}

#[tokio::test]
async fn a_write_after_a_directory_was_opened_does_not_make_it_two_places() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("db");
    let writer = directory(&path);
    fill(&writer, 20).await;
    let reader = reader(&path);
    writer.upsert_points(change(1_234_567)).await.unwrap();
    let refused = migrated(reader, limited(writer.clone()), with(Existing::Replace))
        .await
        .unwrap_err()
        .to_string();
    assert!(refused.contains("under another name"), "{refused}");
    assert_eq!(all_points(&writer, "birds").await.len(), 21);
}

/// A store whose key may not make collections.
fn limited(inner: Qdrant) -> Faulty {
    Faulty::on(inner).creates(|_| {
        Fate::Refused(status(
            tonic::Code::PermissionDenied,
            "this key does not make collections",
        ))
    })
}

#[tokio::test]
async fn a_key_that_makes_no_collections_is_enough_where_both_sides_differ() {
    let (here, there) = both().await;
    let report = migrated(here.clone(), limited(there.clone()), with(Existing::Sync))
        .await
        .unwrap();
    assert!(report.is_sound(), "{report:?}");
    assert_eq!(
        all_points(&here, "birds").await,
        all_points(&there, "birds").await
    );
    // Now they are alike, and could be one.
    let told = migrated(here.clone(), limited(there.clone()), with(Existing::Sync))
        .await
        .unwrap_err()
        .to_string();
    assert!(
        told.contains("does not make collections") && told.contains("--two-places"),
        "{told}"
    );
    let two_places = Options {
        two_places: true,
        ..with(Existing::Sync)
    };
    migrated(here.clone(), limited(there.clone()), two_places)
        .await
        .unwrap();
    // One place stays untouched.
    let one = migrated(here.clone(), limited(here.clone()), with(Existing::Replace)).await;
    assert!(matches!(one, Err(MigrateError::Conflict(_))));
    assert_eq!(all_points(&here, "birds").await.len(), 90);
}

#[tokio::test]
async fn what_proves_two_places_is_gone_afterwards() {
    let (here, there) = both().await;
    migrated(here, there.clone(), with(Existing::Sync)).await.unwrap();
    let left = there.list_collections().await.unwrap().collections;
    assert_eq!(left.len(), 1, "{left:?}");
}
