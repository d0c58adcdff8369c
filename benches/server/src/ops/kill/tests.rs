use super::*;

#[test]
fn values_are_new_and_ids_are_the_connections_own() {
    let mut writer = Writer::new(3, 7);
    let ids = writer.ids();
    let mut last = 0;
    for _ in 0..100 {
        for (id, value) in writer.draw() {
            assert!(ids.contains(&id));
            if let Some(value) = value {
                assert!(value > last);
                last = value;
            }
        }
    }
}

#[test]
fn the_model_follows_what_was_acknowledged() {
    let mut writer = Writer::new(0, 1);
    writer.apply(&vec![(1, Some(10)), (2, Some(11))]);
    writer.apply(&vec![(1, None), (2, Some(12))]);
    assert_eq!(writer.points, [(2, 12)].into());
}
