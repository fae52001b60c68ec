//! The options from a configuration file, by serde: one flat map with the names of a URL's parameters, or a URL.

use std::collections::HashSet;
use std::fmt;

use pool_core::ConfigError;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::keys::{self, Form};
use super::values::Value;
use super::{ConnectOptions, PoolOptions};

/// Reads one map, or a URL. An unknown name is an error that names the nearest known one.
///
/// # Examples
///
/// ```
/// use pool_mysql::ConnectOptions;
///
/// let file = r#"{"host": "db.example", "user": "app", "password": "s3cret", "connect_timeout": "5s"}"#;
/// let options: ConnectOptions = serde_json::from_str(file)?;
/// # drop(options);
/// # Ok::<(), serde_json::Error>(())
/// ```
impl<'de> Deserialize<'de> for ConnectOptions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = Fields {
            expected: "a map of connection options",
            of_pool: false,
        };
        deserializer
            .deserialize_any(fields)
            .map(|options| options.connect)
    }
}

/// Reads one map with the names of [`ConnectOptions`] and of the pool's settings, or a URL. An unknown name is an error that
/// names the nearest known one.
///
/// # Examples
///
/// ```
/// use pool_mysql::PoolOptions;
///
/// let file = r#"{"host": "db.example", "user": "app", "maxsize": 20, "pool_recycle": 3600}"#;
/// let options: PoolOptions = serde_json::from_str(file)?;
/// assert_eq!(options.builder().build_lazy()?.maxsize(), 20);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
impl<'de> Deserialize<'de> for PoolOptions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Fields {
            expected: "a map of connection options and settings of a pool",
            of_pool: true,
        })
    }
}

struct Fields {
    expected: &'static str,
    of_pool: bool,
}

impl<'de> Visitor<'de> for Fields {
    type Value = PoolOptions;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_str<E: Error>(self, url: &str) -> Result<PoolOptions, E> {
        let options = match self.of_pool {
            true => PoolOptions::from_url(url),
            false => ConnectOptions::from_url(url).map(PoolOptions::from),
        };
        options.map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<PoolOptions, A::Error> {
        let mut options = PoolOptions::default();
        let mut seen = HashSet::new();
        while let Some(key) = map.next_key::<String>()? {
            if !seen.insert(keys::plain(&key)) {
                return Err(A::Error::custom(keys::twice(Form::Field, &key)));
            }
            let value = map.next_value::<Value>()?;
            self.set(&mut options, &key, value)
                .map_err(A::Error::custom)?;
        }
        options.connect.check().map_err(A::Error::custom)?;
        Ok(options)
    }
}

impl Fields {
    fn set(&self, options: &mut PoolOptions, key: &str, value: Value) -> Result<(), ConfigError> {
        let left = match options.connect.set(Form::Field, key, value)? {
            Some(value) if self.of_pool => options.set_by_name(key, value)?,
            left => left,
        };
        match left {
            Some(_) => Err(keys::unknown(Form::Field, key, self.of_pool)),
            None => Ok(()),
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Anything)
    }
}

/// Takes any value that a format can have for one option. Its errors never show the value, which may be a password.
struct Anything;

impl<'de> Visitor<'de> for Anything {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a number, a switch or a list of texts")
    }

    fn visit_bool<E>(self, on: bool) -> Result<Value, E> {
        Ok(Value::Switch(on))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Number(number as f64))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Number(number as f64))
    }

    fn visit_i128<E: Error>(self, _: i128) -> Result<Value, E> {
        Err(E::custom("a number is too large"))
    }

    fn visit_u128<E: Error>(self, _: u128) -> Result<Value, E> {
        Err(E::custom("a number is too large"))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Value::Number(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::Text(text))
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Nothing)
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Nothing)
    }

    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<Value, D::Error> {
        inner.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut texts = Vec::new();
        while let Some(value) = list.next_element::<Value>()? {
            match value {
                Value::Text(text) => texts.push(text),
                _ => return Err(A::Error::custom("a list may hold texts only")),
            }
        }
        Ok(Value::List(texts))
    }
}
