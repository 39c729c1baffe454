//! The tests of the public interface, in one executable, so that what they share is
//! compiled and linked once. A test that needs a process of its own runs itself in a
//! child: see `support::child`.
#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

mod curves;
mod engines;
mod oracle;
mod programs;
mod support;

mod bases;
mod cache_files;
mod calibration;
mod domains;
mod eip2537;
mod endless;
mod environment;
mod errors;
mod fastest;
mod fork;
mod host_buffer;
mod inputs;
mod interop;
mod kernels;
mod life;
mod msm;
mod msm_plugs;
mod paths;
mod point_operations;
mod point_transforms;
mod points;
mod results_into;
mod spec_api;
mod spirv_policy;
mod transform_plugs;
mod transforms;
mod vector_arguments;
mod vector_errors;
mod vector_fusion;
mod vector_lengths;
mod vector_memory;
mod vector_movement;
mod vector_pending;
mod vector_permute;
mod vector_polynomials;
mod vector_programs;
mod vector_results;
mod vector_slices;
mod vector_timeouts;
mod vector_values;
mod vectors;
