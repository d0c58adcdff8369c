use vdb::{Database, Operation, Point, Select, UpsertMode};

use super::*;
use crate::service::settings::{CollectionSettings, DistanceName, VectorSettings, VectorsSettings};
use crate::service::{ReadOptions, ServiceOptions, WriteOptions};

async fn service(root: &Path) -> Service {
    let database = Database::builder().open_in_memory().unwrap();
    let service = Service::new(database, ServiceOptions::new(root));
    let vectors = [(String::new(), VectorSettings::new(2, DistanceName::Dot))];
    let settings = CollectionSettings {
        vectors: VectorsSettings(vectors.into()),
        ..CollectionSettings::default()
    };
    service.create_collection("c", settings).await.unwrap();
    upsert(&service, 1).await;
    service
}

fn at(url: &str) -> Recovery {
    Recovery::Location(Location {
        url: url.to_owned(),
        api_key: None,
        shard: false,
    })
}

async fn upsert(service: &Service, id: u64) {
    let operation = Operation::Upsert {
        points: vec![Point::new(id, [1.0, 0.0])],
        mode: UpsertMode::Upsert,
        update_filter: None,
    };
    let options = WriteOptions {
        wait: true,
        ..WriteOptions::default()
    };
    service.update("c", operation, options).await.unwrap();
}

async fn ids(service: &Service, name: &str) -> usize {
    let asked = vec![1.into(), 2.into()];
    let found = service.get(name, asked, Select::default(), ReadOptions::default());
    found.await.unwrap().len()
}

#[tokio::test]
async fn a_collection_comes_back_from_its_snapshot() {
    let root = tempfile::tempdir().unwrap();
    let service = service(root.path()).await;
    let of = SnapshotsOf::Collection("c");
    let made = service.create_snapshot(of, true).await.unwrap().unwrap();
    assert_eq!(
        service.list_snapshots(of).await.unwrap(),
        std::slice::from_ref(&made)
    );
    upsert(&service, 2).await;
    let file = service.snapshot_file(of, &made.name).await.unwrap();
    let location = format!("file://{}", file.path.display());
    let recover = |name: &'static str, checksum: Option<String>| {
        service.recover_snapshot(name, at(&location), checksum)
    };
    let wrong = recover("c", Some("0".repeat(64))).await.unwrap_err();
    assert_eq!(wrong.kind, ErrorKind::Checksum);
    let malformed = recover("c", Some("xyz".into())).await.unwrap_err();
    assert_eq!(malformed.kind, ErrorKind::Validation);
    assert_eq!(ids(&service, "c").await, 2);
    assert!(recover("c", made.checksum).await.unwrap());
    assert!(recover("other", None).await.unwrap());
    assert_eq!((ids(&service, "c").await, ids(&service, "other").await), (1, 1));
    assert!(service.delete_snapshot(of, &made.name).await.unwrap());
    assert!(service.list_snapshots(of).await.unwrap().is_empty());
    assert_eq!(
        service.delete_snapshot(of, &made.name).await.unwrap_err().kind,
        ErrorKind::NotFound
    );
}

#[tokio::test]
async fn other_files_are_not_recovered_from() {
    let root = tempfile::tempdir().unwrap();
    let service = service(root.path()).await;
    let kind = |location: &'static str| {
        let from = at(location);
        let service = service.clone();
        async move { service.recover_snapshot("c", from, None).await.unwrap_err().kind }
    };
    assert_eq!(kind("file:///etc/hostname").await, ErrorKind::Forbidden);
    assert_eq!(kind("file:///no/such/file").await, ErrorKind::Forbidden);
    assert_eq!(kind("file://elsewhere/x").await, ErrorKind::BadRequest);
    assert_eq!(kind("ftp://localhost/x").await, ErrorKind::BadRequest);
    assert_eq!(kind("file:///%zz").await, ErrorKind::BadRequest);
}

#[test]
fn what_was_on_its_way_in_is_swept_away() {
    let root = tempfile::tempdir().unwrap();
    let left = root.path().join(".incoming-x");
    fs::create_dir(&left).unwrap();
    fs::write(left.join("snapshot.tar"), b"half").unwrap();
    fs::create_dir(root.path().join("birds")).unwrap();
    fs::write(root.path().join(".incoming-file"), b"of somebody").unwrap();
    sweep_snapshots(root.path()).unwrap();
    assert!(!left.exists() && root.path().join("birds").exists());
    assert!(root.path().join(".incoming-file").exists());
    sweep_snapshots(&root.path().join("none")).unwrap();
}
