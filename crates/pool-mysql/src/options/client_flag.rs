//! The client flags of the protocol that the option `client_flag` accepts.

use mysql_async::consts::CapabilityFlags;
use pool_core::ConfigError;

/// The flags that the driver always sends, so that asking for them changes nothing.
const ANNOUNCED: CapabilityFlags = CapabilityFlags::CLIENT_LONG_PASSWORD
    .union(CapabilityFlags::CLIENT_CONNECT_WITH_DB)
    .union(CapabilityFlags::CLIENT_LOCAL_FILES)
    .union(CapabilityFlags::CLIENT_PROTOCOL_41)
    .union(CapabilityFlags::CLIENT_TRANSACTIONS)
    .union(CapabilityFlags::CLIENT_SECURE_CONNECTION)
    .union(CapabilityFlags::CLIENT_MULTI_STATEMENTS)
    .union(CapabilityFlags::CLIENT_MULTI_RESULTS)
    .union(CapabilityFlags::CLIENT_PS_MULTI_RESULTS)
    .union(CapabilityFlags::CLIENT_PLUGIN_AUTH)
    .union(CapabilityFlags::CLIENT_CONNECT_ATTRS)
    .union(CapabilityFlags::CLIENT_DEPRECATE_EOF);

/// Whether an UPDATE counts the rows that it found, instead of those that it changed.
pub(super) fn wants_found_rows(flags: u32) -> bool {
    flags & CapabilityFlags::CLIENT_FOUND_ROWS.bits() != 0
}

/// Checks that the driver can send these flags.
pub(super) fn check(flags: u32) -> Result<(), ConfigError> {
    let known = ANNOUNCED.union(CapabilityFlags::CLIENT_FOUND_ROWS);
    let others = flags & !known.bits();
    if others == 0 {
        return Ok(());
    }
    let tls = CapabilityFlags::CLIENT_SSL.bits();
    Err(ConfigError::new(
        "client_flag",
        match others & tls != 0 {
            true => "TLS has its own option: remove CLIENT_SSL and say ssl_mode".to_owned(),
            false => format!(
                "the driver cannot announce {}: remove it; CLIENT_FOUND_ROWS can be chosen",
                named(others)
            ),
        },
    ))
}

/// The names of flags, or their bits where they have none.
fn named(flags: u32) -> String {
    let known = CapabilityFlags::from_bits_truncate(flags);
    let mut names: Vec<String> = known
        .iter_names()
        .map(|(name, _)| name.to_owned())
        .collect();
    let nameless = flags & !known.bits();
    if nameless != 0 {
        names.push(format!("{nameless:#x}"));
    }
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_that_the_driver_always_sends_are_accepted() {
        assert_eq!(check(0), Ok(()));
        assert_eq!(check(ANNOUNCED.bits()), Ok(()));
        let found = CapabilityFlags::CLIENT_FOUND_ROWS.bits();
        assert_eq!(check(found), Ok(()));
        assert!(wants_found_rows(found));
        assert!(!wants_found_rows(ANNOUNCED.bits()));
    }

    #[test]
    fn other_flags_are_refused_by_name() {
        let error = check(CapabilityFlags::CLIENT_COMPRESS.bits()).unwrap_err();
        assert!(error.message().contains("CLIENT_COMPRESS"), "{error}");
        let error = check(CapabilityFlags::CLIENT_SSL.bits()).unwrap_err();
        assert!(error.message().contains("ssl_mode"), "{error}");
    }
}
