use proto::{DecayParamsExpressionBuilder, Expression as Sent};
use qdrant_client::qdrant::{self as proto, FormulaBuilder};

use super::*;

#[test]
fn every_function_has_its_counterpart() {
    let x = || Sent::variable("x");
    let sent = Sent::sum_with([
        Sent::constant(0.5),
        Sent::variable("$score[1]"),
        Sent::mult_with([x(), x()]),
        Sent::neg(x()),
        Sent::abs(x()),
        Sent::sqrt(x()),
        Sent::exp(x()),
        Sent::ln(x()),
        Sent::log10(x()),
        Sent {
            variant: Some(Variant::Acosh(Box::new(x()))),
        },
        Sent {
            variant: Some(Variant::Max(proto::MaxExpression {
                max: vec![x(), Sent::constant(1.0)],
            })),
        },
        Sent {
            variant: Some(Variant::Min(proto::MinExpression { min: vec![x()] })),
        },
        Sent {
            variant: Some(Variant::Pow(Box::new(proto::PowExpression {
                base: Some(Box::new(x())),
                exponent: Some(Box::new(Sent::constant(2.0))),
            }))),
        },
        Sent {
            variant: Some(Variant::Div(Box::new(proto::DivExpression {
                left: Some(Box::new(x())),
                right: Some(Box::new(x())),
                by_zero_default: Some(0.25),
            }))),
        },
        Sent::datetime_key("at"),
        Sent::lin_decay(DecayParamsExpressionBuilder::new(x())),
    ]);
    let read = formula(FormulaBuilder::new(sent).build()).unwrap();
    let x = || Expression::variable("x");
    let boxed = || Box::new(x());
    let same = Expression::Sum(vec![
        0.5.into(),
        Expression::variable("$score[1]"),
        Expression::Product(vec![x(), x()]),
        Expression::Neg(boxed()),
        Expression::Abs(boxed()),
        Expression::Sqrt(boxed()),
        Expression::Exp(boxed()),
        Expression::Ln(boxed()),
        Expression::Log10(boxed()),
        Expression::Acosh(boxed()),
        Expression::Max(vec![x(), 1.0.into()]),
        Expression::Min(vec![x()]),
        Expression::Power {
            base: boxed(),
            exponent: Box::new(2.0.into()),
        },
        Expression::Quotient {
            dividend: boxed(),
            divisor: boxed(),
            by_zero: Some(0.25),
        },
        Expression::DatetimeAt("at".to_owned()),
        Expression::Decay {
            shape: Decay::Linear,
            x: boxed(),
            target: None,
            scale: 1.0,
            midpoint: 0.5,
        },
    ]);
    assert_eq!(read.expression, same);
}

#[test]
fn depth_and_missing_parts_are_told() {
    let deep = (0..MAX_FORMULA_DEPTH + 2).fold(Sent::constant(1.0), |inner, _| Sent::neg(inner));
    assert!(formula(FormulaBuilder::new(deep).build()).is_err());
    let empty = proto::Formula::default();
    assert_eq!(
        formula(empty),
        Err(Rejection::invalid("expression", "is required"))
    );
    let half = proto::DivExpression {
        left: Some(Box::new(Sent::constant(1.0))),
        ..Default::default()
    };
    let half = Sent {
        variant: Some(Variant::Div(Box::new(half))),
    };
    let refused = formula(FormulaBuilder::new(half).build()).unwrap_err();
    assert_eq!(refused, Rejection::invalid("expression.div.right", "is required"));
}
