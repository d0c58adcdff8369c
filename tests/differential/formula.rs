//! JSON to formulas.

use serde_json::{Value, json};
use vdb::{Decay, Expression, Filter, Formula, GeoPoint};

use crate::{part, text};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

pub(crate) fn read(query: &Value) -> Result<Formula> {
    let mut formula = Formula::new(expression(part(query, "formula"))?);
    for (variable, value) in part(query, "defaults").as_object().into_iter().flatten() {
        formula = formula.default_value(variable, value.clone());
    }
    Ok(formula)
}

fn boxed(value: &Value) -> Result<Box<Expression>> {
    Ok(Box::new(expression(value)?))
}

fn several(value: &Value) -> Result<Vec<Expression>> {
    value.as_array().into_iter().flatten().map(expression).collect()
}

fn decay(shape: Decay, params: &Value) -> Result<Expression> {
    let target = part(params, "target");
    Ok(Expression::Decay {
        shape,
        x: boxed(part(params, "x"))?,
        target: (!target.is_null()).then(|| boxed(target)).transpose()?,
        scale: part(params, "scale").as_f64().unwrap_or(1.0),
        midpoint: part(params, "midpoint").as_f64().unwrap_or(0.5),
    })
}

fn expression(value: &Value) -> Result<Expression> {
    let object = match value {
        Value::Number(number) => return Ok(number.as_f64().unwrap_or_default().into()),
        Value::String(name) => return Ok(Expression::variable(name)),
        Value::Object(object) => object,
        Value::Null | Value::Bool(_) | Value::Array(_) => {
            return Err(format!("not an expression: {value}").into());
        }
    };
    let Some((name, of)) = object.iter().next() else {
        return Err("an empty expression".into());
    };
    Ok(match name.as_str() {
        "mult" => Expression::Product(several(of)?),
        "sum" => Expression::Sum(several(of)?),
        "neg" => Expression::Neg(boxed(of)?),
        "abs" => Expression::Abs(boxed(of)?),
        "sqrt" => Expression::Sqrt(boxed(of)?),
        "exp" => Expression::Exp(boxed(of)?),
        "ln" => Expression::Ln(boxed(of)?),
        "log10" => Expression::Log10(boxed(of)?),
        "pow" => Expression::Power {
            base: boxed(part(of, "base"))?,
            exponent: boxed(part(of, "exponent"))?,
        },
        "div" => Expression::Quotient {
            dividend: boxed(part(of, "left"))?,
            divisor: boxed(part(of, "right"))?,
            by_zero: part(of, "by_zero_default").as_f64(),
        },
        "geo_distance" => {
            let origin = part(of, "origin");
            let at = |name| part(origin, name).as_f64().unwrap_or_default();
            Expression::GeoDistance {
                origin: GeoPoint {
                    lon: at("lon"),
                    lat: at("lat"),
                },
                to: text(of, "to")?.to_owned(),
            }
        }
        "datetime" => Expression::Datetime(of.as_str().unwrap_or_default().parse()?),
        "datetime_key" => Expression::DatetimeAt(of.as_str().unwrap_or_default().to_owned()),
        "lin_decay" => decay(Decay::Linear, of)?,
        "exp_decay" => decay(Decay::Exponential, of)?,
        "gauss_decay" => decay(Decay::Gaussian, of)?,
        // Everything else is a condition.
        _ => {
            let mut filter = Filter::from_json(&json!({ "must": [value] }))?;
            match filter.must.pop() {
                Some(condition) => condition.into(),
                None => return Err(format!("not a condition: {value}").into()),
            }
        }
    })
}
