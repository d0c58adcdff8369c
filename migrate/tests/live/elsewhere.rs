//! A server of Qdrant's own: `QDRANT_TEST_URL` names one that has no collection `birds` to lose.

use vdb_migrate::{Existing, Options, Watch};
use vdb_qdrant::Qdrant;

use super::fixture::{Fate, Faulty, all_points, directory, fill, migrated, options, status};
use super::resuming::go;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a server of Qdrant, which QDRANT_TEST_URL names"]
async fn to_a_server_of_qdrant_and_back_cut_off_on_the_way() {
    let url = std::env::var("QDRANT_TEST_URL").unwrap();
    let dir = tempfile::tempdir().unwrap();
    let (state, here) = (dir.path().join("state"), directory(&dir.path().join("db")));
    let there = Qdrant::connect(&url).await.unwrap();
    fill(&here, 1_700).await;
    let replace = || Options {
        existing: Existing::Replace,
        ..options()
    };
    let mut writes = 0;
    let faulty = Faulty::on(there.clone()).upserts(move |_| {
        writes += 1;
        if writes < 10 {
            Fate::Made
        } else {
            Fate::Refused(status(
                tonic::Code::PermissionDenied,
                "the key is no longer known",
            ))
        }
    });
    go(here.clone(), faulty, &state, replace(), Watch::silent())
        .await
        .unwrap_err();
    let report = go(here.clone(), there.clone(), &state, replace(), Watch::silent())
        .await
        .unwrap();
    assert!(report.is_sound(), "{report:?}");
    let copied = report.collections[0].copied;
    assert!(copied > 0 && copied < 1_700, "{report:?}");

    let back = Qdrant::in_memory().unwrap();
    let birds = Options {
        collections: vec!["birds".to_owned()],
        ..options()
    };
    let report = migrated(there.clone(), back.clone(), birds).await.unwrap();
    assert!(report.is_sound(), "{report:?}");
    let (before, after) = (all_points(&here, "birds").await, all_points(&back, "birds").await);
    assert_eq!(before.len(), after.len());
    for (one, other) in before.iter().zip(&after) {
        assert_eq!((&one.id, &one.payload), (&other.id, &other.payload));
    }
    there.delete_collection("birds").await.unwrap();
}
