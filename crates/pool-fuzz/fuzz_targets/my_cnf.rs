//! libFuzzer drives the target `my_cnf`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| pool_fuzz::my_cnf(data));
