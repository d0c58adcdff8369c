//! Operations of a server of ours, for seconds: this program is started again as the server.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use vdb::Database;
use vdb_bench_server::{Cores, Floor, FloorLine};
use vdb_bench_server::{Grpc, Kill, Load, Many, Own, Rest, Server, floor, kill, load, many, random};
use vdb_measure::Setting;
use vdb_qdrant::rest::RestOptions;
use vdb_qdrant::server::{self, Addresses};
use vdb_qdrant::service::{Service, ServiceOptions, snapshots_beside};

/// Where the child finds what to serve.
const DIR: &str = "VDB_TEST_SERVE";
const REST: &str = "VDB_TEST_REST";
const GRPC: &str = "VDB_TEST_GRPC";

fn launch(dir: &Path, rest: u16, grpc: u16) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "child_serves_until_it_is_ended", "--nocapture"])
        .env(DIR, dir)
        .env(REST, rest.to_string())
        .env(GRPC, grpc.to_string());
    command
}

/// Not a test of its own: serves until it is stopped or killed.
#[test]
fn child_serves_until_it_is_ended() {
    let Some(dir) = std::env::var_os(DIR).map(PathBuf::from) else {
        return;
    };
    let port = |name: &str| -> SocketAddr {
        let port: u16 = std::env::var(name).unwrap().parse().unwrap();
        SocketAddr::from(([127, 0, 0, 1], port))
    };
    let addresses = Addresses {
        rest: port(REST),
        grpc: Some(port(GRPC)),
        metrics: None,
    };
    let open = move || -> vdb::Result<Service> {
        let options = ServiceOptions {
            brief: Duration::from_millis(2),
            ..ServiceOptions::new(snapshots_beside(&dir))
        };
        Ok(Service::new(Database::open(&dir)?, options))
    };
    let served = server::run(addresses, RestOptions::default(), open, |_| ()).unwrap();
    served.unwrap().database().clone().close().unwrap();
}

#[test]
fn many_small_collections_take_little() {
    let home = tempfile::tempdir().unwrap();
    let plan = Many {
        collections: 200,
        points: 10,
        dim: 32,
        killed: true,
    };
    let line = many(&launch, &home.path().join("db"), &plan).unwrap();
    println!("{line:?}");
    assert!(line.disk_kib_each < 100.0, "{line:?}");
    if cfg!(target_os = "linux") {
        assert!(line.rss_kib_each < 200.0, "{line:?}");
        // As many with one collection as with 200.
        assert!(line.threads < 100 && line.files < 100, "{line:?}");
        assert!(line.mappings < 1_000, "{line:?}");
    }
}

#[test]
fn many_connections_are_answered_right() {
    let home = tempfile::tempdir().unwrap();
    let own = Own::start(&launch, &home.path().join("db")).unwrap();
    let plan = Load {
        connections: 32,
        time: Duration::from_secs(3),
        dim: 16,
        pid: Some(own.pid()),
        seed: 1,
    };
    let line = load(&own.rest(), &own.grpc(), &plan, &mut |_, _| ()).unwrap();
    assert_eq!((line.errors, line.wrong, &line.told), (0, 0, &Vec::new()));
    assert!(line.calls.len() == 14, "every kind by both transports: {line:?}");
    own.stop().unwrap();
}

#[test]
fn nothing_acknowledged_is_lost_when_the_server_is_killed() {
    let home = tempfile::tempdir().unwrap();
    let plan = Kill {
        rounds: 4,
        connections: 6,
        life: (Duration::from_millis(100), Duration::from_millis(600)),
        dim: 8,
        seed: u64::from(std::process::id()),
    };
    let line = kill(&launch, &home.path().join("db"), &plan, &mut |_| ()).unwrap();
    println!("{line:?}");
    assert_eq!(line.lost, Vec::<String>::new());
    assert_eq!(line.kills, 4);
}

#[test]
fn what_a_call_costs_is_measured() {
    let home = tempfile::tempdir().unwrap();
    let own = Own::start(&launch, &home.path().join("db")).unwrap();
    let (grpc, rest) = (Grpc::new(&own.grpc(), "floor"), Rest::new(&own.rest(), "floor"));
    let servers: [&dyn Server; 2] = [&grpc, &rest];
    let plan = Floor {
        connections: vec![1, 2],
        passes: 1,
        batch: 100,
        setting: Setting::Exact,
        patience: Duration::from_secs(60),
        cores: Cores::default(),
    };
    let mut lines: Vec<FloorLine> = Vec::new();
    floor(
        &servers,
        &random(500, 8, 10),
        &home.path().join("here"),
        &plan,
        &mut |line| {
            lines.push(line.clone());
            Ok(())
        },
    )
    .unwrap();
    let kinds: Vec<(&str, &str, usize)> = lines.iter().map(|l| (l.what, l.by, l.connections)).collect();
    assert_eq!(
        kinds,
        [
            ("search", "embedded", 1),
            ("health", "socket", 1),
            ("search", "socket", 1),
            ("health", "grpc", 1),
            ("health", "grpc", 2),
            ("health", "rest", 1),
            ("health", "rest", 2),
            ("upsert", "grpc", 1),
            ("small", "grpc", 1),
            ("search", "grpc", 1),
            ("search", "grpc", 2),
            ("upsert", "rest", 1),
            ("small", "rest", 1),
            ("search", "rest", 1),
            ("search", "rest", 2),
        ]
    );
    for line in lines.iter().filter(|line| line.what == "search") {
        assert_eq!(line.recall, Some(1.0), "{line:?}");
    }
    own.stop().unwrap();
}
