//! URLs of pools: a connection's URL with the pool's knobs among its parameters.

use std::time::Duration;

use pool_core::ConfigError;

use super::ConnectOptions;
use super::url::{all_keys, unknown};
use super::url_values::{count, duration};

/// What a pool's URL says; `None` is what it does not say.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct PoolUrl {
    pub(crate) options: ConnectOptions,
    pub(crate) minsize: Option<usize>,
    pub(crate) maxsize: Option<usize>,
    pub(crate) pool_recycle: Option<Option<Duration>>,
    pub(crate) acquire_timeout: Option<Option<Duration>>,
    pub(crate) check_timeout: Option<Option<Duration>>,
    pub(crate) recycle_timeout: Option<Option<Duration>>,
    pub(crate) close_timeout: Option<Option<Duration>>,
}

impl PoolUrl {
    /// Takes a pool's URL apart.
    pub(crate) fn parse(url: &str) -> Result<Self, ConfigError> {
        let mut knobs = Self::default();
        let options = ConnectOptions::from_url_with(url, |key, value| {
            match key {
                "minsize" => knobs.minsize = Some(count(key, value)?),
                "maxsize" => knobs.maxsize = Some(count(key, value)?),
                "pool_recycle" => knobs.pool_recycle = Some(duration(key, value)?),
                "acquire_timeout" => knobs.acquire_timeout = Some(duration(key, value)?),
                "check_timeout" => knobs.check_timeout = Some(duration(key, value)?),
                "recycle_timeout" => knobs.recycle_timeout = Some(duration(key, value)?),
                "close_timeout" => knobs.close_timeout = Some(duration(key, value)?),
                _ => return Err(unknown(key, &all_keys())),
            }
            Ok(())
        })?;
        Ok(Self { options, ..knobs })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_knob_is_read() {
        let url = "mysql://root@h/db?minsize=2&maxsize=0&pool_recycle=3600&acquire_timeout=1.5&check_timeout=500ms\
            &recycle_timeout=none&close_timeout=2s&autocommit=false";
        let expected = PoolUrl {
            options: ConnectOptions::new()
                .user("root")
                .host("h")
                .db("db")
                .autocommit(false),
            minsize: Some(2),
            maxsize: Some(0),
            pool_recycle: Some(Some(Duration::from_secs(3600))),
            acquire_timeout: Some(Some(Duration::from_millis(1500))),
            check_timeout: Some(Some(Duration::from_millis(500))),
            recycle_timeout: Some(None),
            close_timeout: Some(Some(Duration::from_secs(2))),
        };
        assert_eq!(PoolUrl::parse(url), Ok(expected));
    }

    #[test]
    fn what_is_not_said_is_left_to_the_builder() {
        let expected = PoolUrl {
            options: ConnectOptions::new().host("h"),
            ..PoolUrl::default()
        };
        assert_eq!(PoolUrl::parse("mysql://h"), Ok(expected));
    }

    #[test]
    fn aiomysqls_minus_one_switches_recycling_off() {
        let knobs = PoolUrl::parse("mysql://h?pool_recycle=-1").unwrap();
        assert_eq!(knobs.pool_recycle, Some(None));
    }

    #[test]
    fn bad_knobs_are_named() {
        for (url, message) in [
            (
                "mysql://h?minsize=-1",
                "minsize: `-1` cannot be used: give a whole number that is not negative",
            ),
            (
                "mysql://h?max_size=3",
                "max_size: no such parameter; did you mean maxsize?",
            ),
            (
                "mysql://h?pool_recicle=3",
                "pool_recicle: no such parameter; did you mean pool_recycle?",
            ),
        ] {
            assert_eq!(PoolUrl::parse(url).unwrap_err().to_string(), message);
        }
    }
}
