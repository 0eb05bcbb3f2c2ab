//! Values as every database keeps them.

use serde::{Serialize, de::DeserializeOwned};
use tollgate_core::{Microcents, Timestamp};

use super::{Failure, TxResult};

/// A value in a row, or on its way there. A database whose columns know more types converts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value<'v> {
    Null,
    Integer(i64),
    Text(&'v str),
    Bytes(&'v [u8]),
}

/// The parameters of a query, each with its name as the query writes it, colon included.
pub(crate) type Params<'p> = &'p [(&'p str, &'p dyn Param)];

/// What can be a parameter.
pub(crate) trait Param {
    fn value(&self) -> Value<'_>;
}

/// Names parameters: `named_params! { ":id": id }`.
macro_rules! named_params {
    ($($name:literal: $value:expr),* $(,)?) => {
        &[$(($name, &$value as &dyn $crate::tx::Param)),*] as $crate::tx::Params<'_>
    };
}
pub(crate) use named_params;

impl Param for i64 {
    fn value(&self) -> Value<'_> {
        Value::Integer(*self)
    }
}

impl Param for u32 {
    fn value(&self) -> Value<'_> {
        Value::Integer((*self).into())
    }
}

impl Param for bool {
    fn value(&self) -> Value<'_> {
        Value::Integer((*self).into())
    }
}

/// The largest are as good as endless.
impl Param for u64 {
    fn value(&self) -> Value<'_> {
        Value::Integer(i64::try_from(*self).unwrap_or(i64::MAX))
    }
}

/// As for `u64`.
impl Param for usize {
    fn value(&self) -> Value<'_> {
        Value::Integer(i64::try_from(*self).unwrap_or(i64::MAX))
    }
}

impl Param for str {
    fn value(&self) -> Value<'_> {
        Value::Text(self)
    }
}

impl Param for String {
    fn value(&self) -> Value<'_> {
        Value::Text(self)
    }
}

impl Param for [u8] {
    fn value(&self) -> Value<'_> {
        Value::Bytes(self)
    }
}

impl<const N: usize> Param for [u8; N] {
    fn value(&self) -> Value<'_> {
        Value::Bytes(self)
    }
}

impl Param for Vec<u8> {
    fn value(&self) -> Value<'_> {
        Value::Bytes(self)
    }
}

impl<T: Param + ?Sized> Param for &T {
    fn value(&self) -> Value<'_> {
        (**self).value()
    }
}

impl<T: Param> Param for Option<T> {
    fn value(&self) -> Value<'_> {
        self.as_ref().map_or(Value::Null, T::value)
    }
}

/// The JSON of something that always has one.
pub(crate) fn json_of(value: &impl Serialize) -> TxResult<String> {
    serde_json::to_string(value).map_err(Failure::damaged)
}

/// What a JSON that this store wrote says.
pub(crate) fn from_json<T: DeserializeOwned>(json: &str) -> TxResult<T> {
    serde_json::from_str(json).map_err(Failure::damaged)
}

/// Money as databases keep it; the largest amounts are as good as endless.
pub(crate) fn cents(amount: Microcents) -> i64 {
    i64::try_from(amount.0).unwrap_or(i64::MAX)
}

/// A time that may be missing, as databases keep it.
pub(crate) fn millis(time: Option<Timestamp>) -> Option<i64> {
    time.map(Timestamp::as_millis)
}
