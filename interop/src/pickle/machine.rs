//! The stack machine: opcodes into values, and the items of one list as they come.

use std::collections::VecDeque;
use std::io::{Read, Seek};
use std::sync::Arc;

use super::bytes::Bytes;
use super::calls;
use super::class::Classes;
use super::error::{Outcome, PickleError, PickleProblem};
use super::lexer;
use super::limits::Limits;
use super::memo::Memo;
use super::opcode::Op;
use super::references::References;
use super::value::{Dict, Items, Value};

/// What a machine comes to.
#[derive(Debug)]
pub enum Event {
    /// The next object of the list that is handed out item by item.
    Item(Value),
    /// The next key and value of the dict that is handed out entry by entry.
    Entry(Value, Value),
    /// The value of the whole pickle, with that list or dict left empty.
    End(Value),
}

/// A reading of one pickle.
///
/// Memory holds what the pickle has on its stack, which for the list at `stream_key` is one object and for a dict that is
/// [handed out](Machine::entries_of) as many entries as were put into it at once (Python: 1,000), and shared values that are
/// still to be fetched.
#[derive(Debug)]
pub struct Machine<R> {
    bytes: Bytes<R>,
    limits: Limits,
    classes: Classes,
    memo: Memo,
    stack: Vec<Slot>,
    /// Lengths of the stack at each mark.
    marks: Vec<usize>,
    /// Bytes of all values on the stack.
    held: u64,
    stream_key: Option<&'static str>,
    stream: Option<Stream>,
    /// The key of the dict whose entries are handed out, its place while it is on the stack, and those that wait.
    entry_key: Option<&'static str>,
    entries_at: Option<usize>,
    entries: VecDeque<(Value, Value)>,
    has_streamed: bool,
    /// Where the opcode begins that is being followed.
    offset: u64,
}

/// A value on the stack.
#[derive(Debug)]
struct Slot {
    value: Value,
    /// The memo entry that gets the value once it is complete.
    memo: Option<u64>,
}

/// The list that is handed out, while it is on the stack.
#[derive(Debug)]
struct Stream {
    /// Its place on the stack.
    list: usize,
    /// Items above it that were handed out.
    taken: usize,
}

impl<R: Read + Seek> Machine<R> {
    /// Reads `reader` from its start. `references` are those of the same bytes. Where the whole pickle is a dict, the
    /// objects of the list at `stream_key` are handed out one by one.
    ///
    /// # Errors
    /// When the length of the file cannot be told.
    pub fn new(
        reader: R,
        classes: Classes,
        references: Arc<References>,
        stream_key: Option<&'static str>,
        limits: Limits,
    ) -> Result<Self, PickleError> {
        Ok(Machine {
            bytes: Bytes::new(reader).map_err(|problem| problem.at(0))?,
            limits,
            classes,
            memo: Memo::new(references),
            stack: Vec::new(),
            marks: Vec::new(),
            held: 0,
            stream_key,
            stream: None,
            entry_key: None,
            entries_at: None,
            entries: VecDeque::new(),
            has_streamed: false,
            offset: 0,
        })
    }

    /// Hands out the entries of the dict at `key` of the outermost dict one by one, too.
    #[must_use]
    pub fn entries_of(mut self, key: &'static str) -> Self {
        self.entry_key = Some(key);
        self
    }

    /// The reader again.
    pub fn into_inner(self) -> R {
        self.bytes.into_inner()
    }
}

impl<R: Read> Machine<R> {
    /// Goes on to the next item or to the end. After the end and after an error there is nothing more to ask for.
    ///
    /// # Errors
    /// Where the pickle cannot be followed.
    pub fn advance(&mut self) -> Result<Event, PickleError> {
        loop {
            if let Some((key, value)) = self.entries.pop_front() {
                return Ok(Event::Entry(key, value));
            }
            self.offset = self.bytes.position();
            let event = lexer::next(&mut self.bytes, &self.limits, false).and_then(|op| self.step(op));
            match event {
                Ok(None) => {}
                Ok(Some(event)) => return Ok(event),
                Err(problem) => return Err(problem.at(self.offset)),
            }
        }
    }

    /// Whether the list or dict that is handed out was met.
    pub fn has_streamed(&self) -> bool {
        self.has_streamed
    }

    /// Bytes read so far, and in all.
    pub fn progress(&self) -> (u64, u64) {
        (self.bytes.position(), self.bytes.len())
    }

    /// Where the opcode begins that was followed last.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    fn step(&mut self, op: Op) -> Outcome<Option<Event>> {
        match op {
            Op::Nothing => {}
            Op::Stop => return self.stop().map(Some),
            Op::Push(value) => self.push(value)?,
            Op::Mark => {
                // A mark takes room too.
                self.hold(size_of::<usize>() as u64)?;
                self.marks.push(self.stack.len());
            }
            Op::Put(index) => self.memoize(Some(index))?,
            Op::Memoize => self.memoize(None)?,
            Op::Get(index) => {
                self.share(index)?;
                let value = self.memo.fetch(index)?;
                self.push(value)?;
            }
            Op::EmptyList => self.push_list(Vec::new())?,
            Op::EmptyDict => self.push_dict()?,
            Op::EmptySet => self.push(Value::Set(Arc::default()))?,
            Op::EmptyTuple => self.push(Value::Tuple(Arc::default()))?,
            Op::List => {
                let items = self.pop_to_mark()?;
                self.push_list(items)?;
            }
            Op::Dict => {
                let items = self.pop_to_mark()?;
                self.push_dict()?;
                self.set_items(items)?;
            }
            Op::Tuple => {
                let items = self.pop_to_mark()?;
                let tuple = calls::tuple(items, self.limits.depth)?;
                self.push(tuple)?;
            }
            Op::TupleOf(count) => {
                let mut items = Vec::with_capacity(count);
                for _ in 0..count {
                    items.push(self.pop()?);
                }
                items.reverse();
                let tuple = calls::tuple(items, self.limits.depth)?;
                self.push(tuple)?;
            }
            Op::Append => {
                let item = self.pop()?;
                self.extend(vec![item])?;
            }
            Op::Appends => {
                let items = self.pop_to_mark()?;
                self.extend(items)?;
            }
            Op::SetItem => {
                let value = self.pop()?;
                let key = self.pop()?;
                self.set_items(vec![key, value])?;
            }
            Op::SetItems => {
                let items = self.pop_to_mark()?;
                self.set_items(items)?;
            }
            Op::AddItems => {
                let items = self.pop_to_mark()?;
                self.add_items(items)?;
            }
            Op::Global(module, name) => self.push_class(&module, &name)?,
            Op::StackGlobal => {
                let (name, module) = (self.pop()?, self.pop()?);
                let (Value::Text(module), Value::Text(name)) = (module, name) else {
                    return Err(PickleProblem::Malformed("the name of a class is no string"));
                };
                self.push_class(&module, &name)?;
            }
            Op::NewObject => {
                let (arguments, class) = (self.pop()?, self.pop()?);
                self.push(calls::new_object(&class, &arguments)?)?;
            }
            Op::Reduce => {
                let (arguments, callee) = (self.pop()?, self.pop()?);
                self.push(calls::reduce(&callee, &arguments)?)?;
            }
            Op::Build => {
                let state = self.pop()?;
                self.change_top(|object, _| calls::build(object, &state))?;
                return self.hand_out();
            }
        }
        Ok(None)
    }

    fn stop(&mut self) -> Outcome<Event> {
        let value = self.pop()?;
        if !self.stack.is_empty() || !self.marks.is_empty() {
            return Err(PickleProblem::Malformed("the pickle ends with values left over"));
        }
        no_class(&value)?;
        Ok(Event::End(value))
    }

    /// Counts bytes that the stack holds more.
    fn hold(&mut self, bytes: u64) -> Outcome<()> {
        self.held = self.held.saturating_add(bytes);
        let limit = self.limits.value_bytes;
        if self.held > limit {
            let what = "bytes in values, everything that they refer to counted each time";
            return Err(PickleProblem::Limit { what, limit });
        }
        Ok(())
    }

    fn push(&mut self, value: Value) -> Outcome<()> {
        self.hold(value.extent().bytes)?;
        self.stack.push(Slot { value, memo: None });
        Ok(())
    }

    fn push_class(&mut self, module: &str, name: &str) -> Outcome<()> {
        let class = self.classes.find(module, name).ok_or_else(|| {
            let class: String = format!("{module}.{name}").chars().take(200).collect();
            let format = self.classes.format;
            PickleProblem::UnknownClass { class, format }
        })?;
        self.push(Value::Class(class))
    }

    /// A new list, which may be the one that is handed out.
    fn push_list(&mut self, items: Vec<Value>) -> Outcome<()> {
        let at = self.stack.len();
        let is_stream = items.is_empty() && self.is_value_of(at, self.stream_key);
        self.push(Value::List(Arc::default()))?;
        if !is_stream {
            return self.extend(items);
        }
        if self.has_streamed {
            return Err(PickleProblem::Malformed("there are two lists of points"));
        }
        self.has_streamed = true;
        self.stream = Some(Stream { list: at, taken: 0 });
        Ok(())
    }

    /// A new dict, which may be the one whose entries are handed out.
    fn push_dict(&mut self) -> Outcome<()> {
        let at = self.stack.len();
        let is_stream = self.is_value_of(at, self.entry_key);
        self.push(Value::Dict(Arc::default()))?;
        if is_stream {
            if self.has_streamed {
                return Err(PickleProblem::Malformed("there are two dicts of entries"));
            }
            self.has_streamed = true;
            self.entries_at = Some(at);
        }
        Ok(())
    }

    /// Whether a list or dict at this place of the stack becomes the value of `key` in the outermost dict.
    fn is_value_of(&self, at: usize, key: Option<&str>) -> bool {
        let Some(key) = key else { return false };
        let below = at.checked_sub(1).and_then(|at| self.stack.get(at));
        let is_value = at >= 2 && at.is_multiple_of(2) && self.marks.iter().all(|mark| *mark <= 1);
        is_value
            && matches!(
                self.stack.first(),
                Some(Slot {
                    value: Value::Dict(_),
                    ..
                })
            )
            && below.is_some_and(|below| below.value.as_text() == Some(key))
    }

    /// Hands the object on top out if it is an item of the streamed list. It has its state, so that nothing changes it
    /// any more.
    fn hand_out(&mut self) -> Outcome<Option<Event>> {
        let Some(stream) = &mut self.stream else {
            return Ok(None);
        };
        let above = stream.list + 1;
        let is_item = self.stack.len() == above + stream.taken + 1
            && self.marks.last().is_none_or(|mark| *mark <= above);
        if !is_item {
            return Ok(None);
        }
        stream.taken += 1;
        let object = self.pop()?;
        self.push(Value::Taken)?;
        Ok(Some(Event::Item(object)))
    }

    /// Fills an entry whose value is still on the stack. From then on the value is shared, and nothing can change it; so
    /// none can come to hold itself.
    fn share(&mut self, index: u64) -> Outcome<()> {
        let Some(place) = self.memo.on_stack(index) else {
            return Ok(());
        };
        let slot = self.stack.get_mut(place).filter(|slot| slot.memo == Some(index));
        let slot = slot.ok_or(PickleProblem::NoEntry { index })?;
        slot.memo = None;
        self.memo.fill(index, &slot.value, &self.limits)
    }

    fn memoize(&mut self, asked: Option<u64>) -> Outcome<()> {
        let at = self.stack.len().wrapping_sub(1);
        let Some(index) = self.memo.make(asked, at)? else {
            return Ok(());
        };
        if self.stream.as_ref().is_some_and(|stream| stream.list == at) {
            return Err(PickleProblem::Malformed(
                "the list of points is referred to elsewhere",
            ));
        }
        if self.entries_at == Some(at) {
            return Err(PickleProblem::Malformed(
                "the dict of entries is referred to elsewhere",
            ));
        }
        let slot = self.stack.last_mut().ok_or(NO_VALUE)?;
        no_item(&slot.value)?;
        let may_grow = matches!(
            slot.value,
            Value::List(_) | Value::Dict(_) | Value::Set(_) | Value::Object(_)
        );
        if !may_grow {
            return self.memo.fill(index, &slot.value, &self.limits);
        }
        if slot.memo.replace(index).is_some() {
            return Err(PickleProblem::Malformed("a value has two memo entries"));
        }
        Ok(())
    }

    /// A value that leaves the stack is complete: nothing changes it any more.
    fn complete(&mut self, slot: Slot) -> Outcome<Value> {
        self.held = self.held.saturating_sub(slot.value.extent().bytes);
        if let Some(index) = slot.memo {
            self.memo.fill(index, &slot.value, &self.limits)?;
        }
        if self
            .stream
            .as_ref()
            .is_some_and(|stream| stream.list >= self.stack.len())
        {
            self.stream = None;
        }
        self.entries_at = self.entries_at.filter(|at| *at < self.stack.len());
        Ok(slot.value)
    }

    /// Values below the last mark are out of reach.
    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    fn pop(&mut self) -> Outcome<Value> {
        if self.stack.len() <= self.floor() {
            return Err(NO_VALUE);
        }
        let slot = self.stack.pop().ok_or(NO_VALUE)?;
        self.complete(slot)
    }

    fn pop_to_mark(&mut self) -> Outcome<Vec<Value>> {
        let from = self
            .marks
            .pop()
            .ok_or(PickleProblem::Malformed("looks for a mark where there is none"))?;
        self.held = self.held.saturating_sub(size_of::<usize>() as u64);
        let from = from.min(self.stack.len());
        let slots = self.stack.split_off(from);
        slots.into_iter().map(|slot| self.complete(slot)).collect()
    }

    /// Changes the topmost value, and counts what it takes now.
    fn change_top(&mut self, change: impl FnOnce(&mut Value, u16) -> Outcome<()>) -> Outcome<()> {
        if self.stack.len() <= self.floor() {
            return Err(NO_VALUE);
        }
        let depth = self.limits.depth;
        let top = self.stack.last_mut().ok_or(NO_VALUE)?;
        let before = top.value.extent().bytes;
        change(&mut top.value, depth)?;
        let after = top.value.extent().bytes;
        self.hold(after.saturating_sub(before))
    }

    /// Items for the list on top.
    fn extend(&mut self, items: Vec<Value>) -> Outcome<()> {
        let top = self.stack.len().wrapping_sub(1);
        if let Some(stream) = self.stream.as_mut().filter(|stream| stream.list == top) {
            stream.taken = 0;
            return match items.iter().find(|item| !matches!(item, Value::Taken)) {
                None => Ok(()),
                Some(Value::Object(_)) => Err(PickleProblem::Malformed("a point is in the list twice")),
                Some(_) => Err(PickleProblem::Malformed(
                    "an item of the list of points is no object",
                )),
            };
        }
        self.change_top(|list, depth| {
            let Value::List(list) = list else {
                return Err(PickleProblem::Malformed("appends to something that is no list"));
            };
            grow(list, items, depth)
        })
    }

    fn add_items(&mut self, items: Vec<Value>) -> Outcome<()> {
        self.change_top(|set, depth| {
            let Value::Set(set) = set else {
                return Err(PickleProblem::Malformed("adds to something that is no set"));
            };
            items.iter().try_for_each(hashable)?;
            grow(set, items, depth)
        })
    }

    /// Keys and values in turns for the dict on top.
    fn set_items(&mut self, items: Vec<Value>) -> Outcome<()> {
        let pairs = pairs(items)?;
        if self.entries_at.is_some_and(|at| at + 1 == self.stack.len()) {
            self.entries.extend(pairs);
            return Ok(());
        }
        self.change_top(|dict, depth| {
            let Value::Dict(dict) = dict else {
                return Err(PickleProblem::Malformed(
                    "sets items of something that is no dict",
                ));
            };
            let dict: &mut Dict = Arc::get_mut(dict).ok_or(SHARED)?;
            for (key, value) in pairs {
                dict.extent.add(&key, depth)?;
                dict.extent.add(&value, depth)?;
                dict.entries.push((key, value));
            }
            Ok(())
        })
    }
}

/// Keys with their values, which stand behind them.
fn pairs(items: Vec<Value>) -> Outcome<Vec<(Value, Value)>> {
    let mut pairs = Vec::with_capacity(items.len() / 2);
    let mut items = items.into_iter();
    while let Some(key) = items.next() {
        let value = items
            .next()
            .ok_or(PickleProblem::Malformed("a dict has a key without a value"))?;
        hashable(&key)?;
        no_class(&value)?;
        pairs.push((key, value));
    }
    Ok(pairs)
}

const NO_VALUE: PickleProblem = PickleProblem::Malformed("takes a value where there is none");
const SHARED: PickleProblem =
    PickleProblem::Malformed("a value is changed after it was used elsewhere, or holds itself");

/// Adds items to a list or set.
fn grow(container: &mut Arc<Items>, items: Vec<Value>, depth: u16) -> Outcome<()> {
    if items.is_empty() {
        return Ok(());
    }
    let container = Arc::get_mut(container).ok_or(SHARED)?;
    for item in &items {
        no_class(item)?;
        container.extent.add(item, depth)?;
    }
    container.items.extend(items);
    Ok(())
}

/// Refuses what is no value of its own.
fn no_class(value: &Value) -> Outcome<()> {
    if matches!(value, Value::Class(_)) {
        return Err(PickleProblem::Malformed("a class stands where a value should"));
    }
    no_item(value)
}

/// Refuses an item that was handed out, and is no value any more.
fn no_item(value: &Value) -> Outcome<()> {
    if matches!(value, Value::Taken) {
        return Err(PickleProblem::Malformed(
            "an item of the list that is read is used elsewhere too",
        ));
    }
    Ok(())
}

/// Refuses what cannot be a key.
fn hashable(key: &Value) -> Outcome<()> {
    if matches!(
        key,
        Value::List(_) | Value::Set(_) | Value::Dict(_) | Value::Object(_) | Value::Tuple(_)
    ) {
        return Err(PickleProblem::Malformed(
            "a list, dict or object is the key of a dict or in a set",
        ));
    }
    no_class(key)
}
