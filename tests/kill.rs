//! What is left of a process that was killed in the middle of writing? A real process, a real directory.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use vdb_tests::Numbers;
use vdb_tests::torture::life::Life;
use vdb_tests::torture::soak::{self, Plan, Said};

const WRITERS: u64 = 4;

/// Not a test of its own: writes until it is killed, and says what was acknowledged.
#[test]
fn child_writes_until_it_is_killed() {
    let Some(dir) = std::env::var_os("VDB_TEST_KILL") else {
        return;
    };
    let round = std::env::var("VDB_TEST_ROUND").unwrap().parse().unwrap();
    let plan = Plan {
        round,
        writers: WRITERS,
        one_weak: true,
    };
    soak::write_until_killed(Path::new(&dir), plan);
}

#[test]
fn nothing_acknowledged_is_lost_when_the_process_is_killed() {
    // Kept when the test fails.
    let kept = tempfile::tempdir().unwrap().keep();
    println!("{}", kept.display());
    let dir = kept.join("db");
    let mut said = Said::default();
    let numbers = &mut Numbers::new(u64::from(std::process::id()));
    for round in 0..5u64 {
        let pause = Duration::from_millis(300 + numbers.below(700));
        let mut child = Command::new(std::env::current_exe().unwrap());
        child
            .args(["--exact", "child_writes_until_it_is_killed", "--nocapture"])
            .env("VDB_TEST_KILL", &dir)
            .env("VDB_TEST_ROUND", round.to_string());
        let Life { said: output, ended } = Life::take(&mut child, pause).unwrap();
        assert!(ended.is_none(), "the child ended by itself: {ended:?}");
        said.hear(&output);
        let db = soak::open(&dir).unwrap();
        let lost = said.check(&db).unwrap();
        assert!(lost.is_empty(), "round {round}: {lost:#?}");
        let lines = output.lines().count();
        println!("round {round}: killed after {pause:?}, {lines} acknowledgements");
        if round == 4 {
            assert!(
                said.writers() as u64 == WRITERS,
                "writers never got to write: {} did",
                said.writers()
            );
        }
    }
    std::fs::remove_dir_all(kept).unwrap();
}
