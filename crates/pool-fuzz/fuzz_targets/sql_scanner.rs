//! libFuzzer drives the target `sql_scanner`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| pool_fuzz::sql_scanner(data));
