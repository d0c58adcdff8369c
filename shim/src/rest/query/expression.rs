//! Formulas.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use vdb::{Datetime, Decay, Expression, Formula, GeoPoint};

use crate::rest::envelope::{Failure, Part};
use crate::rest::wire::WireFilter;

type Result<T> = std::result::Result<T, Failure>;

fn read<T: DeserializeOwned>(value: Value) -> Result<T> {
    serde_json::from_value(value).map_err(|error| Failure::format(Part::Body, error))
}

fn wrong(problem: impl std::fmt::Display) -> Failure {
    Failure::format(Part::Body, format_args!("formula: {problem}"))
}

/// Reads a formula and what its variables are where a point has none.
pub(super) fn read_formula(expression: Value, defaults: Option<Value>) -> Result<Formula> {
    let mut formula = Formula::new(expression_of(expression)?);
    let defaults: Option<Map<String, Value>> = read(defaults.unwrap_or(Value::Null))?;
    for (name, value) in defaults.into_iter().flatten() {
        formula = formula.default_value(&name, value);
    }
    Ok(formula)
}

#[derive(Deserialize)]
struct Division {
    left: Value,
    right: Value,
    by_zero_default: Option<f64>,
}

#[derive(Deserialize)]
struct Power {
    base: Value,
    exponent: Value,
}

#[derive(Deserialize)]
struct Place {
    lon: f64,
    lat: f64,
}

#[derive(Deserialize)]
struct Distance {
    origin: Place,
    to: String,
}

#[derive(Deserialize)]
struct DecayBody {
    x: Value,
    target: Option<Value>,
    scale: Option<f64>,
    midpoint: Option<f64>,
}

fn boxed(value: Value) -> Result<Box<Expression>> {
    expression_of(value).map(Box::new)
}

fn list(value: Value) -> Result<Vec<Expression>> {
    let list: Vec<Value> = read(value)?;
    list.into_iter().map(expression_of).collect()
}

fn expression_of(value: Value) -> Result<Expression> {
    let map = match value {
        Value::Number(number) => {
            let number = number.as_f64().ok_or_else(|| wrong("a number is out of range"))?;
            return Ok(Expression::Constant(number));
        }
        Value::String(name) => return Ok(Expression::variable(&name)),
        Value::Object(map) => map,
        Value::Null | Value::Bool(_) | Value::Array(_) => {
            return Err(wrong("expected a number, a variable or an object"));
        }
    };
    let mut entries = map.iter();
    let (Some((name, inner)), None) = (entries.next(), entries.next()) else {
        return condition(map);
    };
    let inner = inner.clone();
    match name.as_str() {
        "sum" => Ok(Expression::Sum(list(inner)?)),
        "mult" => Ok(Expression::Product(list(inner)?)),
        "neg" => Ok(Expression::Neg(boxed(inner)?)),
        "abs" => Ok(Expression::Abs(boxed(inner)?)),
        "sqrt" => Ok(Expression::Sqrt(boxed(inner)?)),
        "exp" => Ok(Expression::Exp(boxed(inner)?)),
        "ln" => Ok(Expression::Ln(boxed(inner)?)),
        "log10" => Ok(Expression::Log10(boxed(inner)?)),
        "div" => {
            let division: Division = read(inner)?;
            Ok(Expression::Quotient {
                dividend: boxed(division.left)?,
                divisor: boxed(division.right)?,
                by_zero: division.by_zero_default,
            })
        }
        "pow" => {
            let power: Power = read(inner)?;
            Ok(Expression::Power {
                base: boxed(power.base)?,
                exponent: boxed(power.exponent)?,
            })
        }
        "datetime" => {
            let text: String = read(inner)?;
            let at = Datetime::parse(&text);
            at.map(Expression::Datetime)
                .ok_or_else(|| wrong(format_args!("{text:?} is no datetime")))
        }
        "datetime_key" => Ok(Expression::DatetimeAt(read(inner)?)),
        "geo_distance" => {
            let distance: Distance = read(inner)?;
            let origin = GeoPoint::new(distance.origin.lon, distance.origin.lat);
            Ok(Expression::GeoDistance {
                origin: origin.ok_or_else(|| wrong("the origin of a geo_distance is out of range"))?,
                to: distance.to,
            })
        }
        "lin_decay" => decay(Decay::Linear, inner),
        "exp_decay" => decay(Decay::Exponential, inner),
        "gauss_decay" => decay(Decay::Gaussian, inner),
        _ => condition(map),
    }
}

fn decay(shape: Decay, value: Value) -> Result<Expression> {
    let body: DecayBody = read(value)?;
    Ok(Expression::Decay {
        shape,
        x: boxed(body.x)?,
        target: body
            .target
            .filter(|target| !target.is_null())
            .map(boxed)
            .transpose()?,
        scale: body.scale.unwrap_or(1.0),
        midpoint: body.midpoint.unwrap_or(0.5),
    })
}

fn condition(map: Map<String, Value>) -> Result<Expression> {
    let filter = WireFilter::from_value(json!({ "must": [map] })).map_err(wrong)?;
    let condition = filter.filter()?.must.into_iter().next();
    condition
        .map(Expression::from)
        .ok_or_else(|| wrong("expected a condition"))
}
