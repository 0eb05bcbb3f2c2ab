//! JSON with one text for one value.
//!
//! Every run writes a score of them, for its chain and its record. So members are put in order while they are written, and no value
//! is built first.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{CharEscape, CompactFormatter, Formatter, Serializer};

/// JSON with the members of every object sorted by name and no white space: one text for one value.
///
/// # Panics
///
/// When `value` has map keys that are not strings, which no type of this workspace has.
pub fn canonical_json(value: &impl Serialize) -> String {
    let mut text = Vec::with_capacity(512);
    let mut serializer = Serializer::with_formatter(&mut text, Sorted::default());
    value.serialize(&mut serializer).expect("map keys are strings");
    String::from_utf8(text).expect("JSON is UTF-8")
}

/// Keeps what an object has until it ends, and writes it in order then.
#[derive(Default)]
struct Sorted {
    objects: Vec<Object>,
}

/// An object that has not ended.
#[derive(Default)]
struct Object {
    text: Vec<u8>,
    /// Where each member begins and where its name ends.
    members: Vec<(usize, usize)>,
}

impl Sorted {
    /// Where the text goes now.
    fn out<'o>(&'o mut self, writer: &'o mut (impl Write + ?Sized)) -> Out<'o, impl Write + ?Sized> {
        match self.objects.last_mut() {
            Some(object) => Out::Object(&mut object.text),
            None => Out::Writer(writer),
        }
    }
}

/// An object's text, or the end of the way.
enum Out<'o, W: Write + ?Sized> {
    Object(&'o mut Vec<u8>),
    Writer(&'o mut W),
}

impl<W: Write + ?Sized> Write for Out<'_, W> {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        match self {
            Self::Object(out) => out.write(text),
            Self::Writer(out) => out.write(text),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Object {
    /// Its members by name. A name is compared as it is written.
    fn sorted(&mut self) -> impl Iterator<Item = &[u8]> {
        let ends = self.members.iter().skip(1).map(|(begin, _)| *begin).chain([self.text.len()]);
        let mut members: Vec<_> = self.members.iter().zip(ends).collect();
        members.sort_by_key(|((begin, name_end), _)| &self.text[*begin..*name_end]);
        let text = &self.text;
        members.into_iter().map(move |((begin, _), end)| &text[*begin..end])
    }
}

/// Hands what has no order to the compact formatter.
macro_rules! written_as_it_is {
    ($($method:ident($($argument:ident: $kind:ty),*);)*) => {$(
        fn $method<W: Write + ?Sized>(&mut self, writer: &mut W $(, $argument: $kind)*) -> io::Result<()> {
            CompactFormatter.$method(&mut self.out(writer) $(, $argument)*)
        }
    )*};
}

impl Formatter for Sorted {
    written_as_it_is! {
        write_null();
        write_bool(value: bool);
        write_i8(value: i8);
        write_i16(value: i16);
        write_i32(value: i32);
        write_i64(value: i64);
        write_i128(value: i128);
        write_u8(value: u8);
        write_u16(value: u16);
        write_u32(value: u32);
        write_u64(value: u64);
        write_u128(value: u128);
        write_f32(value: f32);
        write_f64(value: f64);
        write_number_str(value: &str);
        begin_string();
        end_string();
        write_string_fragment(fragment: &str);
        write_char_escape(escape: CharEscape);
        write_raw_fragment(fragment: &str);
        begin_array();
        end_array();
        begin_array_value(first: bool);
        end_array_value();
    }

    fn begin_object<W: Write + ?Sized>(&mut self, _: &mut W) -> io::Result<()> {
        self.objects.push(Object::default());
        Ok(())
    }

    fn begin_object_key<W: Write + ?Sized>(&mut self, _: &mut W, _: bool) -> io::Result<()> {
        if let Some(object) = self.objects.last_mut() {
            object.members.push((object.text.len(), object.text.len()));
        }
        Ok(())
    }

    fn begin_object_value<W: Write + ?Sized>(&mut self, _: &mut W) -> io::Result<()> {
        if let Some(Object { text, members }) = self.objects.last_mut() {
            if let Some((_, name_end)) = members.last_mut() {
                *name_end = text.len();
            }
            text.push(b':');
        }
        Ok(())
    }

    fn end_object<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        let Some(mut object) = self.objects.pop() else { return Ok(()) };
        let mut out = self.out(writer);
        out.write_all(b"{")?;
        for (number, member) in object.sorted().enumerate() {
            if number > 0 {
                out.write_all(b",")?;
            }
            out.write_all(member)?;
        }
        out.write_all(b"}")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, Value};

    use super::*;

    fn values() -> impl Strategy<Value = Value> {
        let scalar = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_filter("JSON has no others", |n| n.is_finite()).prop_map(Value::from),
            ".*".prop_map(Value::from),
        ];
        scalar.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::vec((".{0,3}", inner), 0..6)
                    .prop_map(|members| Map::from_iter(members).into()),
            ]
        })
    }

    /// The same value with the members of every object the other way round.
    fn reversed(value: &Value) -> Value {
        match value {
            Value::Object(members) => {
                members.iter().rev().map(|(name, value)| (name.clone(), reversed(value))).collect()
            }
            Value::Array(items) => items.iter().map(reversed).collect(),
            scalar => scalar.clone(),
        }
    }

    proptest! {
        #[test]
        fn the_text_is_the_value_and_does_not_depend_on_the_order_of_members(value in values()) {
            let text = canonical_json(&value);
            prop_assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value.clone());
            prop_assert_eq!(canonical_json(&reversed(&value)), text);
        }
    }

    #[test]
    fn members_are_sorted_at_every_depth() {
        let value: Value =
            serde_json::from_str(r#"{"b":[{"y":1,"x":{"d":{},"c":"\""}}],"a":null,"":[]}"#).unwrap();
        assert_eq!(canonical_json(&value), r#"{"":[],"a":null,"b":[{"x":{"c":"\"","d":{}},"y":1}]}"#);
    }
}
