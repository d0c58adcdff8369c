//! What makes objects: `NEWOBJ`, `REDUCE` and `BUILD`, for classes on the list alone.

use std::sync::Arc;

use super::class::{Class, Kind};
use super::error::{Outcome, PickleProblem};
use super::scalars;
use super::value::{Extent, Items, Object, Value};

/// The key of a state under which every pydantic has the fields.
const FIELDS: &str = "__dict__";

/// `NEWOBJ`: an object without fields.
pub(super) fn new_object(class: &Value, arguments: &Value) -> Outcome<Value> {
    match (class, arguments) {
        (Value::Class(class), Value::Tuple(none))
            if matches!(class.kind, Kind::Model | Kind::Attributes) && none.items.is_empty() =>
        {
            Ok(empty(class))
        }
        _ => Err(PickleProblem::Malformed(
            "makes an object of something that is no class of objects, or gives arguments to it",
        )),
    }
}

/// `REDUCE`: a call, of what a plain value can be made of.
pub(super) fn reduce(callee: &Value, arguments: &Value) -> Outcome<Value> {
    let (Value::Class(callee), Value::Tuple(arguments)) = (callee, arguments) else {
        return Err(PickleProblem::Malformed("calls something that is no class"));
    };
    match (callee.kind, arguments.items.as_slice()) {
        (Kind::Enumeration, [Value::Text(member)]) => Ok(Value::Member(callee, member.clone())),
        (Kind::Set, [Value::List(items)]) => Ok(Value::Set(items.clone())),
        (Kind::Set, []) => Ok(Value::Set(Arc::default())),
        (Kind::Reconstructor, [Value::Class(class), Value::Class(base), Value::None])
            if class.kind == Kind::Model && base.kind == Kind::Base =>
        {
            Ok(empty(class))
        }
        (Kind::Bytes, [Value::Text(text), Value::Text(encoding)]) if **encoding == *"latin1" => {
            scalars::bytes_of_latin_1(text)
        }
        (Kind::Moment, [Value::Bytes(bytes)]) => scalars::moment(bytes, None),
        (Kind::Moment, [Value::Bytes(bytes), offset]) => scalars::moment(bytes, Some(offset)),
        (Kind::Date, [Value::Bytes(bytes)]) => scalars::date(bytes),
        (Kind::Span, [Value::Int(days), Value::Int(seconds), Value::Int(micros)]) => {
            scalars::span(*days, *seconds, *micros)
        }
        (Kind::Offset, [Value::Int(seconds) | Value::Span(seconds)]) => scalars::offset(*seconds),
        // The name is for people: RFC 3339 has no place for it.
        (Kind::Offset, [Value::Span(seconds), Value::Text(_)]) => scalars::offset(*seconds),
        (Kind::NumberType, [Value::Text(of), Value::Bool(_), Value::Bool(_)]) => {
            Ok(Value::Member(callee, of.clone()))
        }
        (Kind::Number, [Value::Member(class, of), Value::Bytes(bytes)]) if class.kind == Kind::NumberType => {
            scalars::number(of, bytes)
        }
        _ => Err(PickleProblem::Malformed(
            "calls a class with arguments that it does not take",
        )),
    }
}

/// `BUILD`: gives an object its fields, once.
pub(super) fn build(object: &mut Value, state: &Value) -> Outcome<()> {
    const STATE: PickleProblem =
        PickleProblem::Malformed("the state of an object is no dict with its fields");
    // A type of numbers has no fields, only an order of bytes.
    if let (Value::Member(class, _), Value::Tuple(state)) = (&*object, state)
        && class.kind == Kind::NumberType
    {
        return scalars::check_order(state);
    }
    let Value::Object(object) = object else {
        return Err(PickleProblem::Malformed(
            "sets the state of something that is no object",
        ));
    };
    let Value::Dict(state) = state else {
        return Err(STATE);
    };
    let fields = match object.class.kind {
        Kind::Attributes => state,
        Kind::Model
        | Kind::Enumeration
        | Kind::Set
        | Kind::Reconstructor
        | Kind::Base
        | Kind::Bytes
        | Kind::Moment
        | Kind::Date
        | Kind::Span
        | Kind::Offset
        | Kind::NumberType
        | Kind::Number => match state.get(FIELDS) {
            Some(Value::Dict(fields)) => fields,
            Some(_) | None => return Err(STATE),
        },
    };
    match Arc::get_mut(object) {
        Some(object) if object.fields.is_none() => {
            object.fields = Some(fields.clone());
            Ok(())
        }
        _ => Err(PickleProblem::Malformed(
            "sets the state of an object that has one",
        )),
    }
}

fn empty(class: &'static Class) -> Value {
    Value::Object(Arc::new(Object { class, fields: None }))
}

/// A tuple. Only here may a class be an item: as an argument.
pub(super) fn tuple(items: Vec<Value>, depth: u16) -> Outcome<Value> {
    let mut extent = Extent::default();
    for item in &items {
        if matches!(item, Value::Taken) {
            return Err(PickleProblem::Malformed(
                "an item of the list that is read is used elsewhere too",
            ));
        }
        extent.add(item, depth)?;
    }
    Ok(Value::Tuple(Arc::new(Items { items, extent })))
}
