use super::*;

const MILLISECOND: Duration = Duration::from_millis(1);

#[test]
fn answers_are_counted_by_route_and_status() {
    let tallies = Tallies::default();
    for (status, times) in [(200, 1), (200, 3), (404, 20)] {
        tallies.add("GET /a", status, times * MILLISECOND, || true);
    }
    let all = tallies.all();
    let found = &all["GET /a"][&200];
    assert_eq!((found.count, found.total), (2, 4 * MILLISECOND));
    assert_eq!((found.shortest, found.longest), (MILLISECOND, 3 * MILLISECOND));
    assert!((found.mean - 0.002).abs() < 1e-9, "{}", found.mean);
    assert_eq!((found.buckets[3], found.buckets[4]), (1, 1));
    assert_eq!(all["GET /a"][&404].count, 1);
}

#[test]
fn the_mean_is_that_of_the_latest() {
    let tallies = Tallies::default();
    for _ in 0..1_000 {
        tallies.add("r", 200, Duration::from_secs(1), || true);
    }
    for _ in 0..1_000 {
        tallies.add("r", 200, MILLISECOND, || true);
    }
    let mean = tallies.all()["r"][&200].mean;
    assert!(mean < 0.01, "{mean}");
}

#[test]
fn what_does_not_exist_takes_no_memory() {
    let tallies = Tallies::default();
    tallies.add("/nothing", 12, MILLISECOND, || false);
    assert!(tallies.all().is_empty());
    for route in 0..2 * MOST_ROUTES {
        tallies.add(&route.to_string(), 200, MILLISECOND, || true);
    }
    assert_eq!(tallies.all().len(), MOST_ROUTES);
}

#[test]
fn successes_count_for_their_collection_until_it_is_gone() {
    let tallies = Tallies::default();
    tallies.add_to("c", "GET /a", 200, MILLISECOND);
    tallies.add_to("c", "GET /a", 200, MILLISECOND);
    assert_eq!(tallies.by_collection()["c"]["GET /a"][&200].count, 2);
    assert!(tallies.all().is_empty());
    tallies.forget("c");
    assert!(tallies.by_collection().is_empty());
}
