use std::path::PathBuf;
use std::time::Duration;

use super::*;
use crate::dataset::Source;
use crate::ours_tasks::OursTasks;

fn demo(rows: usize) -> Dataset {
    let wordnet = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/data/wordnet");
    Dataset::read(&Source {
        data: wordnet.join("wordnet-5k.f16.npy"),
        payload: Some(wordnet.join("wordnet-5k.jsonl")),
        queries: 20,
        rows: Some(rows),
        ..Source::default()
    })
    .unwrap()
}

const ONCE: Plan = Plan {
    warm_up: 0,
    passes: 1,
    time: Duration::ZERO,
};

/// Counts one too many.
struct Liar(OursTasks);

impl Performer for Liar {
    type Request = <OursTasks as Performer>::Request;

    fn name(&self) -> &str {
        "liar"
    }

    fn request(&self, task: Task<'_>) -> Result<Self::Request> {
        self.0.request(task)
    }

    fn perform(&self, request: Self::Request) -> Result<Vec<u64>> {
        let answer = self.0.perform(request)?;
        Ok(answer.into_iter().map(|number| number + 1).collect())
    }
}

#[test]
fn ours_finds_what_plain_sums_find_and_every_condition_is_counted() {
    let set = demo(600);
    let corpus = Corpus::of(&set).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let ours = OursTasks::make(&dir.path().join("db"), &corpus).unwrap();
    let mut lines = Vec::new();
    let all = [TaskKind::Counts, TaskKind::Sparse, TaskKind::Hybrid];
    measure_tasks(&corpus, &all, &[&ours], &ONCE, &mut |line| {
        lines.push(line);
        Ok(())
    })
    .unwrap();
    let of = |task: &str| {
        lines
            .iter()
            .filter(|line| line.task.as_deref() == Some(task))
            .collect::<Vec<_>>()
    };
    assert_eq!(of("counts").len(), cases(600).len());
    assert!(
        of("counts")
            .iter()
            .all(|line| line.recall == 1.0 && line.passes == Some(25))
    );
    // Exact, whatever ties there are.
    assert_eq!(
        of("sparse").iter().map(|line| line.recall).collect::<Vec<_>>(),
        [1.0, 1.0]
    );
    let hybrid: Vec<&str> = of("hybrid").iter().map(|line| line.setting.as_str()).collect();
    assert_eq!(
        hybrid,
        [
            "dense",
            "dense, as many as are fused",
            "bm25",
            "dense + bm25, rrf",
            "dense + bm25, rrf, ten of each"
        ]
    );
    assert!(of("hybrid").iter().all(|line| line.recall > 0.9), "{lines:?}");
    // Kinds that no row matches, or every row, would say nothing of the condition.
    let matching = |name: &str| {
        of("counts")
            .iter()
            .find(|line| line.filter.as_deref() == Some(name))
            .unwrap()
            .share
    };
    assert_eq!(matching("has vector"), Some(1.0));
    let some = |name: &str| matching(name).is_some_and(|share| share > 0.0 && share < 1.0);
    for name in [
        "match bool",
        "is null",
        "geo polygon with a hole",
        "nested, two conditions",
        "slice",
    ] {
        assert!(some(name), "{name}: {:?}", matching(name));
    }
    // So few rows may all pass it.
    assert!(matching("min_should 2 of 4").is_some_and(|share| share > 0.0));
}

#[test]
fn systems_that_do_not_count_the_same_are_told() {
    let set = demo(50);
    let corpus = Corpus::of(&set).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let ours = OursTasks::make(&dir.path().join("db"), &corpus).unwrap();
    let liar = Liar(OursTasks::make(&dir.path().join("other"), &corpus).unwrap());
    let mut wrong = 0;
    let error = measure_tasks(
        &corpus,
        &[TaskKind::Counts],
        &[&ours, &liar],
        &ONCE,
        &mut |line| {
            wrong += usize::from(line.system == "liar" && line.recall == 0.0);
            Ok(())
        },
    );
    let error = error.unwrap_err().to_string();
    assert!(
        error.contains("match bool: liar") && !error.contains("without positions"),
        "{error}"
    );
    assert!(wrong > 40);
}

#[test]
fn payloads_are_asked_for() {
    let mut set = demo(10);
    set.payloads.clear();
    assert!(Corpus::of(&set).unwrap_err().to_string().contains("--payload"));
}
