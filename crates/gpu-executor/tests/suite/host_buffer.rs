//! Host buffers: results on both paths and at every boundary, and what a
//! caller can do wrong with them.

use gpu_executor::FieldAdd;
use gpu_executor::kernels::LIMBS;
use gpu_executor::spirv::PersistentVulkanBackend;
use gpu_executor::{DataPathError, Error, HostBuffer, Mode, PathChoice, TransferPath};
use proptest::prelude::*;

use crate::engines::{error, refused};
use crate::support::{
    assert_limbs, assert_sums, backend, borrowed, built, on_cpu, random_elements, random_jobs,
    sums, test_kernel,
};

const PATHS: [PathChoice; 2] = [
    PathChoice::Fixed(TransferPath::HostVisible),
    PathChoice::Fixed(TransferPath::DeviceLocal),
];

/// A buffer that holds `limbs`.
fn holding(backend: &mut PersistentVulkanBackend, limbs: &[u64]) -> HostBuffer {
    let mut buffer = backend.host_buffer(limbs.len() / LIMBS).unwrap();
    buffer.copy_from_slice(limbs);
    buffer
}

/// Two buffers of random elements, and one of as many zeros.
fn operands(
    backend: &mut PersistentVulkanBackend,
    elements: usize,
    seed: u64,
) -> (HostBuffer, HostBuffer, HostBuffer) {
    let [a, b] = [seed, seed + 1].map(|seed| holding(backend, &random_elements(elements, seed)));
    (a, b, backend.host_buffer(elements).unwrap())
}

/// The sums of A and B by the library's kernel.
fn add(
    backend: &mut PersistentVulkanBackend,
    (a, b): (&HostBuffer, &HostBuffer),
    out: &mut HostBuffer,
    path: PathChoice,
) {
    let spirv = backend.field_add_spirv();
    let ran = backend.run_field_add_host_on(spirv, a, b, out, path);
    ran.unwrap();
}

#[test]
fn a_new_buffer_is_zero_and_keeps_what_is_written() {
    let (_guard, mut backend) = backend();
    // The second may be where the first one was.
    for elements in [0, 1, 1_000, 1_000] {
        let mut buffer = backend.host_buffer(elements).unwrap();
        assert_eq!(buffer.elements(), elements);
        assert_eq!(buffer.len(), 6 * elements);
        assert!(buffer.iter().all(|limb| *limb == 0));
        buffer.fill(u64::MAX);
        assert_eq!(buffer.as_slice(), vec![u64::MAX; 6 * elements]);
        assert!(format!("{buffer:?}").contains(&elements.to_string()));
    }
}

#[test]
fn every_boundary_on_both_paths() {
    for chunk in [None, Some(256), Some(1)] {
        let builder = PersistentVulkanBackend::builder();
        let (_guard, mut backend) = built(match chunk {
            Some(chunk) => builder.chunk_elements(chunk),
            None => builder,
        });
        for path in PATHS {
            for elements in [0, 1, 2, 127, 128, 129, 255, 256, 257, 1_000, 70_000] {
                let (a, b, mut out) = operands(&mut backend, elements, elements as u64);
                // What no chunk writes stands out.
                out.fill(u64::MAX);
                let what = format!("{path:?}, {elements}, chunk {chunk:?}");
                add(&mut backend, (&a, &b), &mut out, path);
                assert_limbs(&out, &sums(&a, &b), &what);
                let report = backend.last_report().unwrap();
                assert_eq!(PathChoice::Fixed(report.path.unwrap()), path, "{what}");
                assert_eq!((report.elements, report.jobs), (elements, 1), "{what}");
                let bytes = 48 * elements as u64;
                assert_eq!((report.bytes_in, report.bytes_out), (2 * bytes, bytes));
                assert_eq!(report.mode, Mode::Pipelined);
                assert_eq!(report.chunks, elements.div_ceil(report.chunk), "{what}");
                if chunk == Some(256) {
                    assert_eq!(report.chunk, 256, "{what}");
                }
            }
        }
    }
}

#[test]
fn the_default_is_direct_and_builder_and_call_change_it() {
    let (_guard, mut plain) = backend();
    let (_second, mut staged) = built(PersistentVulkanBackend::builder().path(PATHS[1]));
    let run = |backend: &mut PersistentVulkanBackend, path| {
        let (a, b, mut out) = operands(backend, 300, 1);
        add(backend, (&a, &b), &mut out, path);
        backend.last_report().unwrap().path.unwrap()
    };
    assert_eq!(run(&mut plain, PathChoice::Auto), TransferPath::HostVisible);
    assert_eq!(run(&mut plain, PATHS[1]), TransferPath::DeviceLocal);
    assert_eq!(
        run(&mut staged, PathChoice::Auto),
        TransferPath::DeviceLocal
    );
    assert_eq!(run(&mut staged, PATHS[0]), TransferPath::HostVisible);
}

#[test]
fn buffers_are_used_again_in_any_role() {
    let (_guard, mut backend) = built(PersistentVulkanBackend::builder().chunk_elements(600));
    let (mut x, mut y, mut z) = operands(&mut backend, 2_000, 5);
    for round in 0..12 {
        let path = PATHS[round % 2];
        let expected = sums(&x, &y);
        add(&mut backend, (&x, &y), &mut z, path);
        assert_limbs(&z, &expected, &format!("round {round}"));
        // The host changes an input in place, and all change roles: the sum
        // of one round is an operand of the next.
        x[LIMBS * round] ^= 1;
        (x, y, z) = (z, x, y);
    }
    // One buffer as both operands.
    let doubled = sums(&x, &x);
    backend.field_add_host(&x, &x, &mut z).unwrap();
    assert_limbs(&z, &doubled, "doubled");
}

#[test]
fn runs_over_slices_and_over_buffers_take_turns() {
    let (_guard, mut backend) = backend();
    let spirv = backend.field_add_spirv();
    let (a, b, mut out) = operands(&mut backend, 3_000, 5);
    let jobs = random_jobs(2, 3_000, 9);
    for path in PATHS {
        add(&mut backend, (&a, &b), &mut out, path);
        let batch = borrowed(&jobs);
        let device_local = path == PATHS[1];
        let results = backend.run_field_add_batch(spirv, &batch, 3_000, device_local);
        assert_sums(&results.unwrap(), &jobs, "slices");
        // A buffer is a slice like any other.
        assert_limbs(
            &backend.field_add(&a, &b).unwrap(),
            &out,
            "slices of buffers",
        );
    }
    assert_limbs(&out, &sums(&a, &b), "buffers");
}

#[test]
fn a_kernel_of_the_callers_runs_on_buffers() {
    let (_guard, mut backend) = backend();
    // Takes its count from A.length(), so every binding must be exact.
    let sub = test_kernel("field_sub");
    // One invocation per workgroup: more than one dispatch on some devices.
    let xor = test_kernel("limb_xor");
    for path in PATHS {
        let (a, b, mut out) = operands(&mut backend, 70_000, 3);
        backend
            .run_field_add_host_on(&sub, &a, &b, &mut out, path)
            .unwrap();
        let expected = on_cpu(&a, &b, field_kernels::arithmetic::sub::<field_kernels::Fp>);
        assert_limbs(&out, &expected, "sub");
        backend
            .run_field_add_host_on(&xor, &a, &b, &mut out, path)
            .unwrap();
        let expected = on_cpu(&a, &b, |a, b| std::array::from_fn(|i| a[i] ^ b[i]));
        assert_limbs(&out, &expected, "xor");
        let report = backend.last_report().unwrap();
        assert!(report.kernel.starts_with("sha256:"), "{}", report.kernel);
    }
}

/// `module` without the promise not to write this or that: each decoration
/// `NonWritable` of a member becomes `Coherent`, which promises nothing.
fn without_promises(module: &[u8]) -> Vec<u8> {
    const MEMBER_DECORATE: u32 = (4 << 16) | 72;
    const NON_WRITABLE: u32 = 24;
    const COHERENT: u32 = 23;
    let (words, _) = module.as_chunks();
    let mut words: Vec<_> = words.iter().copied().map(u32::from_le_bytes).collect();
    let mut place = 5;
    while let Some(first) = words.get(place).copied() {
        if first == MEMBER_DECORATE && words[place + 3] == NON_WRITABLE {
            words[place + 3] = COHERENT;
        }
        place += (first >> 16) as usize;
    }
    words.into_iter().flat_map(u32::to_le_bytes).collect()
}

#[test]
fn a_kernel_that_may_write_its_inputs_runs_on_copies_of_them_only() {
    let (_guard, mut backend) = backend();
    let xor = without_promises(&test_kernel("limb_xor"));
    let (a, b, mut out) = operands(&mut backend, 10, 3);
    for path in PATHS {
        let error = error(backend.run_field_add_host_on(&xor, &a, &b, &mut out, path));
        let reason = "expected the buffers at bindings 0 and 1 to be NonWritable \
                      (`readonly` in GLSL), found one that is not";
        let reason = reason.to_owned();
        let spirv = gpu_executor::VulkanError::NotAKernel { reason };
        assert_eq!(error, Error::Vulkan(spirv));
        assert!(out.iter().all(|limb| *limb == 0));
    }
    let result = backend.run_field_add(&xor, &a, &b, 10, false).unwrap();
    let expected = on_cpu(&a, &b, |a, b| std::array::from_fn(|i| a[i] ^ b[i]));
    assert_limbs(&result, &expected, "xor over slices");
}

#[test]
fn unequal_lengths_are_named_and_leave_the_buffers_alone() {
    let (_guard, mut backend) = backend();
    let spirv = backend.field_add_spirv();
    let (a, b, _) = operands(&mut backend, 10, 1);
    let (long, mut short) = (
        backend.host_buffer(11).unwrap(),
        backend.host_buffer(9).unwrap(),
    );
    refused!(backend.run_field_add_host(spirv, &a, &long, &mut short)
        => Error::UnequalHostBuffers { a: 10, b: 11, out: 9 });
    refused!(backend.run_field_add_host(spirv, &a, &long, &mut short)
        => "expected host buffers of equal length, found A of 10 elements, B of 11, the output of 9");
    assert!(backend.last_report().is_none());
    for (a, b) in [(&a, &b), (&long, &a), (&a, &long)] {
        refused!(backend.field_add_host(a, b, &mut short)
            => Error::UnequalHostBuffers { out: 9, .. });
    }
    assert_eq!(short.elements(), 9);
    let mut out = backend.host_buffer(10).unwrap();
    backend.field_add_host(&a, &b, &mut out).unwrap();
    assert_limbs(&out, &sums(&a, &b), "after errors");
}

#[test]
fn a_buffer_of_another_backend_is_refused_by_operand() {
    let ((_guard, mut one), (_second, mut other)) = (backend(), backend());
    let (a, b, mut out) = operands(&mut one, 10, 1);
    let mut foreign = other.host_buffer(10).unwrap();
    refused!(one.field_add_host(&foreign, &b, &mut out)
        => Error::DataPath(DataPathError::ForeignBuffer { what: "A", .. }));
    refused!(one.field_add_host(&a, &foreign, &mut out)
        => Error::DataPath(DataPathError::ForeignBuffer { what: "B", .. }));
    refused!(one.field_add_host(&a, &b, &mut foreign)
        => Error::DataPath(DataPathError::ForeignBuffer { what: "the output", .. }));
    assert!(foreign.iter().all(|limb| *limb == 0));
    one.field_add_host(&a, &b, &mut out).unwrap();
    assert_limbs(&out, &sums(&a, &b), "own buffers");
}

#[test]
fn a_module_that_is_refused_leaves_the_output_alone() {
    let (_guard, mut backend) = backend();
    let (a, b, mut out) = operands(&mut backend, 10, 1);
    let bad = test_kernel("bad_binding");
    refused!(backend.run_field_add_host(&bad, &a, &b, &mut out) => Error::Vulkan(_));
    assert!(out.iter().all(|limb| *limb == 0));
    backend.field_add_host(&a, &b, &mut out).unwrap();
    assert_limbs(&out, &sums(&a, &b), "after a bad module");
}

#[test]
fn more_than_there_is_memory_for_is_an_error() {
    let (_guard, mut backend) = backend();
    for elements in [usize::MAX, usize::MAX / 48 + 1] {
        refused!(backend.host_buffer(elements) => Error::TooManyElements { .. });
    }
    const REQUESTED: u64 = 48 << 50;
    refused!(backend.host_buffer(1 << 50)
        => Error::DataPath(DataPathError::OutOfDeviceMemory { requested: REQUESTED, .. }));
}

#[test]
fn buffers_are_filled_read_and_dropped_by_other_threads() {
    let (_guard, mut backend) = backend();
    let (mut a, mut b) = (
        backend.host_buffer(5_000).unwrap(),
        backend.host_buffer(5_000).unwrap(),
    );
    let mut out = backend.host_buffer(5_000).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| a.copy_from_slice(&random_elements(5_000, 1)));
        scope.spawn(|| b.copy_from_slice(&random_elements(5_000, 2)));
    });
    // Runs, and moves everything, on a thread that made none of it.
    let (backend, a, b, out) = std::thread::spawn(move || {
        backend.field_add_host(&a, &b, &mut out).unwrap();
        (backend, a, b, out)
    })
    .join()
    .unwrap();
    let expected = std::thread::scope(|scope| {
        let (a, b) = (&a, &b);
        scope.spawn(move || sums(a, b)).join().unwrap()
    });
    assert_limbs(&out, &expected, "another thread");
    std::thread::spawn(move || drop((a, b, out)))
        .join()
        .unwrap();
    drop(backend);
}

#[test]
fn buffers_outlive_their_backend_and_backends_their_buffers() {
    let (_guard, mut one) = backend();
    for path in PATHS {
        let (a, b, mut out) = operands(&mut one, 2_000, 1);
        let spirv = one.field_add_spirv();
        one.run_field_add_host_on(spirv, &a, &b, &mut out, path)
            .unwrap();
        // What was recorded names buffers that are gone.
        drop((a, b));
        assert_eq!(out.elements(), 2_000);
    }
    let (a, b, mut out) = operands(&mut one, 2_000, 3);
    one.field_add_host(&a, &b, &mut out).unwrap();
    drop(one);
    assert_limbs(&out, &sums(&a, &b), "after the backend");
    out.fill(7);
    assert_eq!(out.as_slice(), vec![7; 12_000]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn any_run_equals_the_reference(
        path in prop::sample::select(PATHS.to_vec()),
        elements in 0_usize..3_000,
        chunk in 1_usize..1_500,
        depth in 1_usize..6,
        seed in any::<u64>(),
    ) {
        let builder = PersistentVulkanBackend::builder().chunk_elements(chunk).depth(depth);
        let (_guard, mut backend) = built(builder);
        let (a, b, mut out) = operands(&mut backend, elements, seed >> 1);
        for _ in 0..2 {
            out.fill(u64::MAX);
            add(&mut backend, (&a, &b), &mut out, path);
            assert_limbs(&out, &sums(&a, &b), "random");
        }
        prop_assert!(backend.last_report().unwrap().depth <= depth);
    }
}
