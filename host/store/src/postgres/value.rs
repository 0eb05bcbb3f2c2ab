//! How values travel. The server says of which type each parameter and column is.

use std::{borrow::Cow, error::Error};

use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, private::BytesMut, to_sql_checked};

use crate::tx::{Cells, Failure, TxResult, Value};

type Boxed = Box<dyn Error + Sync + Send>;

/// The first byte of a JSONB value in its binary form.
const JSONB_VERSION: u8 = 1;

/// The text with the sign for what cannot be shown in place of the one character that PostgreSQL refuses, however it is written. So
/// whoever has it in an item harms nothing but that text.
fn without<'t>(text: &'t str, nul: &str, sign: &str) -> Cow<'t, str> {
    match text.contains(nul) {
        true => Cow::Owned(text.replace(nul, sign)),
        false => Cow::Borrowed(text),
    }
}

/// A value that waits to be sent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kept {
    Null,
    Integer(i64),
    Text(String),
    Bytes(Vec<u8>),
}

impl From<Value<'_>> for Kept {
    fn from(value: Value<'_>) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Integer(number) => Self::Integer(number),
            Value::Text(text) => Self::Text(text.to_owned()),
            Value::Bytes(bytes) => Self::Bytes(bytes.to_vec()),
        }
    }
}

impl ToSql for Kept {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Boxed> {
        match (self, kind) {
            (Self::Null, _) => return Ok(IsNull::Yes),
            (Self::Integer(number), &Type::INT8) => out.extend_from_slice(&number.to_be_bytes()),
            (Self::Integer(number), &Type::INT4) => {
                out.extend_from_slice(&i32::try_from(*number)?.to_be_bytes());
            }
            (Self::Integer(number), &Type::INT2) => {
                out.extend_from_slice(&i16::try_from(*number)?.to_be_bytes());
            }
            (Self::Integer(number), &Type::BOOL) => out.extend_from_slice(&[u8::from(*number != 0)]),
            (Self::Text(text), &Type::TEXT) => {
                out.extend_from_slice(without(text, "\0", "\u{fffd}").as_bytes())
            }
            (Self::Text(text), &Type::JSONB) => {
                out.extend_from_slice(&[JSONB_VERSION]);
                out.extend_from_slice(without(text, "\\u0000", "\\ufffd").as_bytes());
            }
            (Self::Text(text), &Type::JSON) => out.extend_from_slice(text.as_bytes()),
            (Self::Bytes(bytes), &Type::BYTEA) => out.extend_from_slice(bytes),
            (value, kind) => return Err(format!("{value:?} is no {kind}").into()),
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl<'v> FromSql<'v> for Value<'v> {
    fn from_sql(kind: &Type, raw: &'v [u8]) -> Result<Self, Boxed> {
        Ok(match *kind {
            Type::INT8 => Self::Integer(i64::from_be_bytes(raw.try_into()?)),
            Type::INT4 => Self::Integer(i32::from_be_bytes(raw.try_into()?).into()),
            Type::INT2 => Self::Integer(i16::from_be_bytes(raw.try_into()?).into()),
            Type::BOOL => Self::Integer((raw != [0]).into()),
            Type::TEXT | Type::JSON => Self::Text(std::str::from_utf8(raw)?),
            Type::BYTEA => Self::Bytes(raw),
            ref other => return Err(format!("a column of type {other} cannot be read").into()),
        })
    }

    fn from_sql_null(_: &Type) -> Result<Self, Boxed> {
        Ok(Self::Null)
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

impl Cells for tokio_postgres::Row {
    fn cell(&self, column: &str) -> TxResult<Value<'_>> {
        self.try_get(column).map_err(|error| Failure::damaged(format!("`{column}`: {error}")))
    }
}
