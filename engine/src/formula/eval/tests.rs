use proptest::prelude::*;
use serde_json::{Value, json};
use vdb_storage::payload::{ObjectRef, encode_payload};
use vdb_storage::{PointId, ValueError};

use super::Subject;
use crate::error::{Error, Result};
use crate::filter::fixture::NoTexts;
use crate::filter::{Condition, GeoPoint, PointSource};
use crate::formula::{CompiledFormula, Decay, Expression, Formula};
use crate::limits::{MAX_FORMULA_DEPTH, MAX_FORMULA_PARTS};

struct Doc(Vec<u8>);

impl PointSource for Doc {
    fn id(&self) -> PointId {
        7.into()
    }

    fn payload(&self) -> Result<ObjectRef<'_>, ValueError> {
        ObjectRef::from_payload(&self.0)
    }

    fn has_vector(&self, name: &str) -> bool {
        name.is_empty()
    }
}

fn payload() -> Value {
    json!({
        "n": 3, "half": 0.5, "list": ["x", 4, 5], "text": "x", "zero": 0,
        "at": "2024-06-01T00:00:01Z", "where": {"lon": 2.352222, "lat": 48.856614},
        "places": [{"lon": 1000, "lat": 0}, {"lon": 13.404954, "lat": 52.520008}],
    })
}

fn run(formula: &Formula) -> Result<f32> {
    let encoded = encode_payload(payload().as_object().unwrap()).unwrap();
    CompiledFormula::new(formula, &NoTexts)?.score(&Subject {
        point: &Doc(encoded),
        scores: &[Some(0.25), None],
    })
}

fn score(expression: impl Into<Expression>) -> f32 {
    run(&Formula::new(expression)).unwrap()
}

fn refusal(formula: &Formula) -> String {
    let refused = run(formula).unwrap_err();
    assert!(matches!(refused, Error::InvalidRequest(_)), "{refused:?}");
    refused.to_string()
}

fn var(name: &str) -> Expression {
    Expression::variable(name)
}

fn boxed(number: f64) -> Box<Expression> {
    Box::new(number.into())
}

#[test]
fn variables_are_scores_and_numbers_of_the_payload() {
    assert_eq!(score(var("$score")), 0.25);
    assert_eq!(score(var("$score[0]")), 0.25);
    assert_eq!(score(var("$score[1]")), 0.0);
    assert_eq!(score(var("$score[9]")), 0.0);
    assert_eq!(
        run(&Formula::new(var("$score[1]")).default_value("$score[1]", 0.5)).unwrap(),
        0.5
    );
    assert_eq!(score(var("n")), 3.0);
    // The first number there.
    assert_eq!(score(var("list")), 4.0);
    assert_eq!(score(var("list[2]")), 5.0);
    assert_eq!(
        run(&Formula::new(var("gone")).default_value("\"gone\"", 2)).unwrap(),
        2.0
    );
    assert_eq!(
        run(&Formula::new(var("text")).default_value("text", 2)).unwrap(),
        2.0
    );
    for name in ["gone", "text", "n.x"] {
        let told = refusal(&Formula::new(var(name)));
        assert!(told.contains("point 7") && told.contains(name), "{told}");
    }
}

#[test]
fn conditions_are_one_or_zero() {
    assert_eq!(score(Condition::matches("n", 3)), 1.0);
    assert_eq!(score(Condition::matches("n", 4)), 0.0);
    assert_eq!(score(Condition::HasId(vec![7.into()])), 1.0);
    assert_eq!(score(Condition::HasVector("other".into())), 0.0);
}

#[test]
fn operators_compute() {
    assert_eq!(score(var("n") + 1.0.into() + var("half")), 4.5);
    assert_eq!(score(var("n") * 2.0.into()), 6.0);
    assert_eq!(score(Expression::Sum(Vec::new())), 0.0);
    assert_eq!(score(Expression::Product(Vec::new())), 1.0);
    assert_eq!(score(var("n").over(2.0)), 1.5);
    assert_eq!(score(Expression::Neg(Box::new(var("n")))), -3.0);
    assert_eq!(score(Expression::Abs(boxed(-2.0))), 2.0);
    assert_eq!(score(Expression::Sqrt(boxed(9.0))), 3.0);
    assert_eq!(score(Expression::Exp(boxed(0.0))), 1.0);
    assert_eq!(score(Expression::Ln(boxed(1.0))), 0.0);
    assert_eq!(score(Expression::Log10(boxed(1000.0))), 3.0);
    assert_eq!(score(Expression::Acosh(boxed(1.0))), 0.0);
    assert_eq!(score(Expression::Acosh(boxed(1.0f64.cosh()))), 1.0);
    assert_eq!(
        score(Expression::Max(vec![var("half"), var("n"), (-1.0).into()])),
        3.0
    );
    assert_eq!(
        score(Expression::Min(vec![var("half"), var("n"), (-1.0).into()])),
        -1.0
    );
    for nothing in [Expression::Max(Vec::new()), Expression::Min(Vec::new())] {
        assert!(refusal(&Formula::new(nothing)).contains("at least one"));
    }
    let power = |base, exponent| Expression::Power {
        base: boxed(base),
        exponent: boxed(exponent),
    };
    assert_eq!(score(power(2.0, 10.0)), 1024.0);
    for bad in [
        power(-1.0, 0.5),
        power(0.0, -1.0),
        Expression::Sqrt(boxed(-1.0)),
        Expression::Ln(boxed(0.0)),
        Expression::Log10(boxed(-1.0)),
        Expression::Acosh(boxed(0.5)),
        Expression::Exp(boxed(1e3)),
        Expression::from(1.0).over(0.0),
        // Beyond an f32.
        1e300.into(),
        // What comes after such a step does not make it good.
        Expression::from(1.0).over(Expression::Sum(vec![f64::MAX.into(); 2])),
        Expression::from(1.0).over(Expression::Product(vec![f64::MAX.into(), 2.0.into()])),
        Expression::Product(vec![f64::MAX.into(), 2.0.into(), 0.0.into()]),
    ] {
        assert!(refusal(&Formula::new(bad)).contains("no finite number"));
    }
}

#[test]
fn a_decay_of_no_number_is_refused() {
    let formula = |shape| Formula::new(var("$score").decay(shape, var("$score"), 1.0));
    for shape in [Decay::Linear, Decay::Exponential, Decay::Gaussian] {
        let encoded = encode_payload(payload().as_object().unwrap()).unwrap();
        let outcome = CompiledFormula::new(&formula(shape), &NoTexts)
            .unwrap()
            .score(&Subject {
                point: &Doc(encoded),
                scores: &[Some(f32::INFINITY)],
            });
        assert!(matches!(outcome, Err(Error::InvalidRequest(_))), "{outcome:?}");
        assert_eq!(run(&formula(shape)).unwrap(), 1.0);
    }
}

#[test]
fn nothing_behind_a_zero_is_looked_at() {
    assert_eq!(score(var("zero") * var("gone")), 0.0);
    assert!(run(&Formula::new(var("gone") * var("zero"))).is_err());
    assert_eq!(score(var("zero").over(var("gone"))), 0.0);
    assert_eq!(score(var("zero").over(0.0)), 0.0);
    let quotient = Expression::Quotient {
        dividend: boxed(1.0),
        divisor: Box::new(var("zero")),
        by_zero: Some(9.0),
    };
    assert_eq!(score(quotient), 9.0);
}

#[test]
fn datetimes_are_seconds() {
    let day = Expression::Datetime("2024-06-01".parse().unwrap());
    let since = Expression::DatetimeAt("at".into()) + Expression::Neg(Box::new(day));
    assert_eq!(score(since), 1.0);
    let gone = Formula::new(Expression::DatetimeAt("n".into()));
    assert!(refusal(&gone).contains("no datetime at n"));
    assert_eq!(
        run(&gone.clone().default_value("n", "1970-01-02")).unwrap(),
        86_400.0
    );
    assert!(refusal(&gone.default_value("n", 5)).contains("must be a datetime"));
}

#[test]
fn distances_are_metres() {
    let paris = GeoPoint::new(2.352222, 48.856614).unwrap();
    let berlin = GeoPoint::new(13.404954, 52.520008).unwrap();
    let far = |to: &str| {
        Formula::new(Expression::GeoDistance {
            origin: berlin,
            to: to.into(),
        })
    };
    assert_eq!(run(&far("where")).unwrap(), berlin.distance(paris) as f32);
    // The first that is a place.
    assert_eq!(run(&far("places")).unwrap(), 0.0);
    assert_eq!(run(&far("places[]")).unwrap(), 0.0);
    assert!(refusal(&far("n")).contains("no place at n"));
    let there = json!({"lon": 13.404954, "lat": 52.520008});
    assert_eq!(run(&far("n").default_value("n", there)).unwrap(), 0.0);
    assert!(refusal(&far("n").default_value("n", json!({"lon": 999, "lat": 0}))).contains("lon and lat"));
    let nowhere = Expression::GeoDistance {
        origin: GeoPoint { lon: 200.0, lat: 0.0 },
        to: "where".into(),
    };
    assert!(refusal(&Formula::new(nowhere)).contains("no place"));
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let decay = |scale, midpoint| {
        Formula::new(Expression::Decay {
            shape: Decay::Linear,
            x: boxed(1.0),
            target: None,
            scale,
            midpoint,
        })
    };
    for (scale, midpoint) in [
        (0.0, 0.5),
        (-1.0, 0.5),
        (f64::NAN, 0.5),
        (1.0, 0.0),
        (1.0, 1.0),
        (1.0, f64::NAN),
    ] {
        refusal(&decay(scale, midpoint));
    }
    refusal(&Formula::new(f64::INFINITY));
    refusal(&Formula::new(var("n")).default_value("n", "three"));
    assert!(run(&Formula::new(var("a..b"))).is_err());
    let nested = |levels| (1..levels).fold(Expression::from(1.0), |x, _| Expression::Neg(Box::new(x)));
    assert!(run(&Formula::new(nested(MAX_FORMULA_DEPTH))).is_ok());
    let sum = |parts| Formula::new(Expression::Sum(vec![1.0.into(); parts]));
    assert!(run(&sum(MAX_FORMULA_PARTS - 1)).is_ok());
    for large in [
        Formula::new(nested(MAX_FORMULA_DEPTH + 1)),
        sum(MAX_FORMULA_PARTS),
    ] {
        assert!(matches!(run(&large), Err(Error::Limit { .. })));
    }
}

proptest! {
    #[test]
    fn decays_fall_from_one_through_their_midpoint(
        target in -100.0f64..100.0, scale in 0.1f64..100.0, midpoint in 0.01f64..0.99, far in 0.0f64..3.0,
    ) {
        for shape in [Decay::Linear, Decay::Exponential, Decay::Gaussian] {
            let at = |x: f64| f64::from(score(Expression::Decay {
                shape, x: boxed(x), target: Some(boxed(target)), scale, midpoint,
            }));
            prop_assert!((at(target) - 1.0).abs() < 1e-6);
            prop_assert!((at(target + scale) - midpoint).abs() < 1e-4);
            prop_assert!((at(target - scale) - midpoint).abs() < 1e-4);
            let d = far * scale;
            let wanted = match shape {
                Decay::Linear => (1.0 - (1.0 - midpoint) / scale * d).max(0.0),
                Decay::Exponential => midpoint.powf(d / scale),
                Decay::Gaussian => midpoint.powf(d * d / (scale * scale)),
            };
            prop_assert!((at(target - d) - wanted).abs() < 1e-5);
        }
    }
}
