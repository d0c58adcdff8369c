//! Quotas, on a machine that is as full as a test says.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::*;
use vdb_qdrant::service::Probe;

#[derive(Clone, Default)]
struct Disk(Arc<AtomicU64>);

impl Probe for Disk {
    fn memory(&self) -> Option<f64> {
        None
    }

    fn disk(&self) -> Option<f64> {
        Some(self.0.load(Ordering::Relaxed) as f64)
    }
}

async fn with_points(disk: &Disk) -> Server {
    let snapshots = tempfile::tempdir().unwrap();
    let database = Database::builder().open_in_memory().unwrap();
    let options = ServiceOptions::new(snapshots.path());
    let service = Service::with_probe(database, options, Box::new(disk.clone()));
    let server = Server {
        router: router(service, RestOptions::default()),
        snapshots,
    };
    let body = json!({"vectors": {"size": 2, "distance": "Dot"}});
    server.put("/collections/c", body).await.result();
    server
        .put(
            "/collections/c/points?wait=true",
            json!({"points": [{"id": 1, "vector": [1.0, 0.0]}]}),
        )
        .await
        .result();
    server
}

#[tokio::test]
async fn a_full_machine_takes_in_nothing_more() {
    let disk = Disk::default();
    let server = with_points(&disk).await;
    disk.0.store(95, Ordering::Relaxed);
    let limits = json!({"enabled": true, "max_disk_usage_percent": 90});
    assert_eq!(
        server.put("/quotas?wait=true", limits.clone()).await.result(),
        true
    );
    let point = json!({"points": [{"id": 2, "vector": [0.0, 1.0]}]});
    // A reading may be a moment old.
    while server
        .put("/collections/c/points?wait=true", point.clone())
        .await
        .status
        == 200
    {
        tokio::task::yield_now().await;
    }
    let refused = |answer: Answer| {
        let text = answer.error(507);
        assert!(
            text.starts_with("Insufficient storage: Disk usage is at 95% of total capacity"),
            "{text}"
        );
    };
    refused(server.put("/collections/c/points", point).await);
    refused(
        server
            .post(
                "/collections/c/points/payload",
                json!({"payload": {"a": 1}, "points": [1]}),
            )
            .await,
    );
    refused(
        server
            .post(
                "/collections/c/points/payload/delete",
                json!({"keys": ["a"], "points": [1]}),
            )
            .await,
    );
    refused(
        server
            .put(
                "/collections/c/index",
                json!({"field_name": "a", "field_schema": "keyword"}),
            )
            .await,
    );
    server
        .post("/collections/c/points/scroll", json!({}))
        .await
        .result();
    server
        .post("/collections/c/points/delete?wait=true", json!({"points": [1]}))
        .await
        .result();
    let told = server.get("/quotas").await.result();
    let usage = json!({"resident_memory_percent": null, "disk_usage_percent": 95});
    assert_eq!(told, json!({"config": limits, "usage": usage}));
    let telemetry = server.get("/telemetry").await.result();
    assert_eq!(
        telemetry["quota"]["exceeded"],
        json!({"resident_memory": null, "disk_usage": true})
    );
    let metrics = server.get("/metrics").await.text();
    assert!(
        metrics.contains("quota_exceeded{resource=\"disk\"} 1\n"),
        "{metrics}"
    );
    assert!(
        !metrics.contains("quota_exceeded{resource=\"memory\"}"),
        "{metrics}"
    );
    // Other limits are in force at once.
    server
        .put("/quotas", json!({"enabled": true, "max_disk_usage_percent": 96}))
        .await
        .result();
    server
        .put(
            "/collections/c/points",
            json!({"points": [{"id": 3, "vector": [0.0, 1.0]}]}),
        )
        .await
        .result();
    let wrong = server
        .put("/quotas", json!({"max_disk_usage_percent": 0}))
        .await
        .error(422);
    assert!(wrong.contains("max_disk_usage_percent"), "{wrong}");
}
