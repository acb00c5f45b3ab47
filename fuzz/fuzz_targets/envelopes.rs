#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hrm_planner::middleware::zenoh::fuzzing::envelope(data));
