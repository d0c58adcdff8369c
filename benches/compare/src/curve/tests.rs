use super::*;

fn curve(points: &[(f64, f64)]) -> Curve {
    let lines: Vec<Line> = points
        .iter()
        .map(|(recall, qps)| Line {
            recall: *recall,
            qps: *qps,
            ..Line::default()
        })
        .collect();
    Curve::of(&lines)
}

#[test]
fn a_point_that_another_beats_in_both_does_not_count() {
    let curve = curve(&[
        (0.97, 90.0),
        (0.9, 100.0),
        (0.95, 80.0),
        (0.99, 10.0),
        (0.99, 20.0),
    ]);
    assert_eq!(curve.points(), [(0.9, 100.0), (0.97, 90.0), (0.99, 20.0)]);
    assert_eq!(curve.best_recall(), Some(0.99));
}

#[test]
fn between_two_settings_the_logarithm_is_followed() {
    let curve = curve(&[(0.94, 10_000.0), (0.98, 100.0)]);
    let speed = curve.at(0.96).unwrap();
    assert!((speed.qps - 1000.0).abs() < 1e-6 && !speed.at_least);
    assert_eq!(curve.at(0.98).map(|speed| speed.qps.round()), Some(100.0));
    assert_eq!(curve.at(0.99), None);
    let bound = Speed {
        qps: 10_000.0,
        at_least: true,
    };
    assert_eq!(curve.at(0.5), Some(bound));
}
