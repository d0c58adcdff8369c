//! What makes objects: `NEWOBJ`, `REDUCE` and `BUILD`, for classes on the list alone.

use std::sync::Arc;

use super::class::{Class, Kind};
use super::error::{Outcome, PickleProblem};
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
        _ => Err(PickleProblem::Malformed(
            "calls a class with arguments that it does not take",
        )),
    }
}

/// `BUILD`: gives an object its fields, once.
pub(super) fn build(object: &mut Value, state: &Value) -> Outcome<()> {
    const STATE: PickleProblem =
        PickleProblem::Malformed("the state of an object is no dict with its fields");
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
        Kind::Model | Kind::Enumeration | Kind::Set | Kind::Reconstructor | Kind::Base => {
            match state.get(FIELDS) {
                Some(Value::Dict(fields)) => fields,
                Some(_) | None => return Err(STATE),
            }
        }
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
