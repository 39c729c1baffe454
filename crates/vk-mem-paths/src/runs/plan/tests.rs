use super::*;
use crate::runs::limits::STAGING_BUDGET;
use crate::{Measured, Strategy};
use proptest::prelude::*;
use vk_core::testing::recorded;

fn work(total: usize) -> Workload {
    Workload {
        total,
        largest_job: total,
        element_bytes: 48,
        workgroup_size: 128,
    }
}

fn request(depth: Option<usize>) -> Request {
    Request {
        path: PathChoice::Auto,
        chunk: None,
        depth,
        packing: match depth {
            Some(1) => Packing::PerJob,
            _ => Packing::AcrossJobs,
        },
    }
}

/// By the rules alone.
fn planned(caps: &DeviceCaps, total: usize, request: &Request) -> Plan {
    plan(caps, &Tuning::default(), &work(total), request).unwrap()
}

fn by_rules(caps: &DeviceCaps, total: usize, choice: PathChoice) -> Plan {
    let request = Request {
        path: choice,
        ..request(None)
    };
    planned(caps, total, &request)
}

#[test]
fn an_explicit_path_is_taken_and_auto_looks_at_device_and_size() {
    let path = |caps: &DeviceCaps, total, choice| by_rules(caps, total, choice).path;
    let (h200, llvmpipe) = (recorded::h200(), recorded::llvmpipe());
    for fixed in [TransferPath::HostVisible, TransferPath::DeviceLocal] {
        assert_eq!(path(&h200, 64, PathChoice::Fixed(fixed)), fixed);
        assert_eq!(path(&llvmpipe, 1 << 24, PathChoice::Fixed(fixed)), fixed);
    }
    for total in [0, 64, 1 << 14, 1 << 20] {
        let bar_or_host = match total {
            0..=16_384 => TransferPath::Bar,
            _ => TransferPath::HostVisible,
        };
        assert_eq!(path(&h200, total, PathChoice::Auto), bar_or_host);
        for other in [
            llvmpipe.clone(),
            recorded::integrated(),
            recorded::small_bar(),
        ] {
            assert_eq!(
                path(&other, total, PathChoice::Auto),
                TransferPath::HostVisible
            );
        }
    }
}

/// Microseconds of pipelined runs on an H200, on each of [`TransferPath::ALL`]: of the group
/// `auto` in benches/records/nvidia-h200/2026-11-23.csv those of one job and of four.
const H200: [(usize, [u32; 3]); 19] = [
    (64, [19, 30, 18]),
    (256, [22, 34, 20]),
    (1 << 10, [28, 42, 24]),
    (1 << 12, [89, 78, 49]),
    (1 << 14, [153, 163, 123]),
    (1 << 16, [288, 404, 347]),
    (1 << 18, [905, 1_042, 1_076]),
    (1 << 20, [2_855, 3_426, 4_097]),
    (1 << 22, [10_316, 12_890, 15_820]),
    (1 << 24, [39_789, 50_242, 63_906]),
    (1 << 8, [22, 66, 19]),
    (1 << 10, [29, 42, 25]),
    (1 << 12, [56, 62, 49]),
    (1 << 14, [137, 149, 144]),
    (1 << 16, [273, 396, 372]),
    (1 << 18, [957, 1_043, 1_227]),
    (1 << 20, [2_784, 3_425, 4_001]),
    (1 << 22, [10_357, 13_412, 16_337]),
    (1 << 24, [39_900, 50_633, 63_102]),
];

#[test]
fn the_rule_takes_a_path_within_a_twentieth_of_the_fastest_one_recorded() {
    for (total, times) in H200 {
        let chosen = by_rules(&recorded::h200(), total, PathChoice::Auto).path;
        let of = |path| {
            times[TransferPath::ALL
                .iter()
                .position(|other| *other == path)
                .unwrap()]
        };
        let fastest = *times.iter().min().unwrap();
        let close = 20 * of(chosen) <= 21 * fastest + 20;
        assert!(close, "{total} elements: {chosen} of {times:?}");
    }
}

#[test]
fn runs_are_cut_as_was_fastest_on_an_h200_and_short_ones_are_not() {
    let cut = |total| {
        let plan = by_rules(&recorded::h200(), total, PathChoice::Auto);
        (plan.depth, plan.chunk.min(total))
    };
    // benches/records/nvidia-h200/2026-11-23-calibration.csv.
    for (total, depth, chunk) in [
        (64, 1, 64),
        (1 << 12, 1, 1 << 12),
        (1 << 14, 1, 1 << 14),
        (1 << 16, 2, 1 << 15),
        (1 << 18, 2, 1 << 16),
        (1 << 20, 2, 1 << 17),
        (1 << 22, 2, 1 << 17),
    ] {
        assert_eq!(cut(total), (depth, chunk), "{total}");
    }
    // No small rest.
    assert_eq!(cut((1 << 16) + 1), (2, (1 << 15) + 128));
    assert_eq!(cut((1 << 16) - 1), (1, (1 << 16) - 1));
}

#[test]
fn sequential_runs_job_by_job_and_pipelined_overlaps() {
    let sequential = planned(&recorded::h200(), 1 << 20, &request(Some(1)));
    assert_eq!((sequential.depth, sequential.chunk), (1, 524_288));
    assert_eq!(sequential.packing, Packing::PerJob);
    let pipelined = planned(&recorded::h200(), 1 << 20, &request(None));
    assert_eq!(pipelined.packing, Packing::AcrossJobs);
    assert_eq!((pipelined.depth, pipelined.chunk), (2, MOST_OVERLAPPED));
    let asked = Request {
        path: PathChoice::Fixed(TransferPath::DeviceLocal),
        chunk: Some(1_000),
        ..request(Some(3))
    };
    let asked = planned(&recorded::h200(), 1 << 20, &asked);
    let path = (asked.path, asked.reason);
    assert_eq!(path, (TransferPath::DeviceLocal, "asked for"));
    let sizes = (asked.chunk, asked.depth, asked.capacity);
    assert_eq!(sizes, (1_000, 3, 1_024));
    assert!(!asked.measured);
    // Its kernels and the host's copies share the cores.
    let software = planned(&recorded::llvmpipe(), 1 << 20, &request(None));
    assert_eq!((software.depth, software.chunk), (1, DEFAULT_CHUNK));
    assert_eq!(software.packing, Packing::AcrossJobs);
    let tiny = planned(&recorded::h200(), 64, &request(None));
    assert_eq!((tiny.depth, tiny.capacity), (1, 64));
}

#[test]
fn halving_a_plan_halves_its_memory_until_that_no_longer_matters() {
    let caps = recorded::h200();
    let mut plan = planned(&caps, 100_000, &request(Some(1)));
    // One chunk, whose slot has room for as many elements as there are.
    assert_eq!((plan.chunk, plan.capacity), (524_288, 131_072));
    let mut capacities = vec![plan.capacity];
    while let Some(half) = plan.halved() {
        assert_eq!((half.chunk, half.depth), (half.capacity, plan.depth));
        capacities.push(half.capacity);
        plan = half;
    }
    assert_eq!(capacities.len(), 12);
    assert_eq!(capacities.last(), Some(&LEAST_CHUNK));
}

#[test]
fn on_a_software_device_jobs_share_chunks_only_where_they_are_small() {
    let caps = recorded::llvmpipe();
    for (largest_job, chunk) in [
        (64, SHARED_CHUNK),
        (SHARED_CHUNK, SHARED_CHUNK),
        (1 << 18, 1 << 18),
        (1 << 22, DEFAULT_CHUNK),
    ] {
        let work = Workload {
            largest_job,
            ..work(1 << 22)
        };
        // What was measured there is noise.
        let tuning = measured(TransferPath::DeviceLocal, 1000);
        let plan = plan(&caps, &tuning, &work, &request(None)).unwrap();
        assert_eq!((plan.path, plan.depth), (TransferPath::HostVisible, 1));
        assert_eq!(plan.chunk, chunk, "{largest_job}");
    }
}

fn measured(path: TransferPath, chunk: usize) -> Tuning {
    let strategy = Strategy {
        path,
        depth: 5,
        chunk,
    };
    let row = Measured {
        elements: 1 << 20,
        strategy,
        nanoseconds: 1,
    };
    Tuning {
        measured: vec![row],
    }
}

#[test]
fn what_was_measured_beats_the_rules_and_what_is_asked_for_beats_both() {
    let caps = recorded::h200();
    let tuning = measured(TransferPath::Bar, 10_000);
    let tuned = |request: &Request| plan(&caps, &tuning, &work(1 << 20), request).unwrap();
    let auto = tuned(&request(None));
    assert_eq!((auto.path, auto.depth), (TransferPath::Bar, 5));
    // 105 pieces, in whole workgroups.
    assert_eq!(auto.chunk, 9_987_usize.next_multiple_of(128));
    assert!(auto.measured);
    let asked = tuned(&Request {
        path: PathChoice::Fixed(TransferPath::HostVisible),
        chunk: Some(64),
        depth: Some(2),
        ..request(None)
    });
    assert_eq!(
        (asked.path, asked.chunk, asked.depth),
        (TransferPath::HostVisible, 64, 2)
    );
    assert!(!asked.measured);
    // A sequential run is job by job.
    let sequential = tuned(&request(Some(1)));
    assert_eq!((sequential.depth, sequential.chunk), (1, DEFAULT_CHUNK));
    assert!(!sequential.measured);
    // Far above what was measured, only its path holds.
    let far = plan(&caps, &tuning, &work(1 << 25), &request(None)).unwrap();
    assert_eq!(
        (far.path, far.reason),
        (TransferPath::Bar, "measured to be the fastest")
    );
    assert!(far.measured);
    assert_eq!((far.depth, far.chunk), (2, MOST_OVERLAPPED));
    // A device without a BAR of its whole memory does not take that row.
    let small_bar = plan(
        &recorded::small_bar(),
        &tuning,
        &work(1 << 20),
        &request(None),
    );
    let small_bar = small_bar.unwrap();
    assert_eq!(small_bar.path, TransferPath::HostVisible);
    assert!(!small_bar.measured);
}

#[test]
fn a_device_without_the_memory_for_a_path_is_an_error() {
    let mut no_host = recorded::h200();
    no_host.memory_types.truncate(2);
    let bar = PathChoice::Fixed(TransferPath::Bar);
    for (caps, path, what) in [
        (recorded::small_bar(), bar, "wholly host-visible"),
        (no_host, PathChoice::Auto, "upload memory"),
    ] {
        let asked = Request {
            path,
            ..request(Some(1))
        };
        let error = plan(&caps, &Tuning::default(), &work(1), &asked);
        let text = error.unwrap_err().to_string();
        assert!(text.contains(what), "{text}");
    }
}

#[test]
fn a_chunk_fits_binding_dispatch_and_staging() {
    let huge = |workgroup_size, depth| {
        let work = Workload {
            workgroup_size,
            ..work(1 << 30)
        };
        let request = Request {
            chunk: Some(usize::MAX),
            ..request(Some(depth))
        };
        plan(&recorded::llvmpipe(), &Tuning::default(), &work, &request).unwrap()
    };
    // 65,535 workgroups of one invocation each.
    assert_eq!(huge(1, 1).chunk, 65_535);
    // 128 MiB per binding.
    assert_eq!(huge(1024, 1).chunk, ((128 << 20) - 16) / 48);
    // A quarter of 2 GiB, shared by 6 slots of 3 operands.
    assert_eq!(huge(1024, 6).chunk, (512 << 20) / (6 * 3 * 48));
}

proptest! {
    #[test]
    fn every_plan_is_within_the_limits(
        device in 0_usize..5,
        total in 0_usize..(1 << 34),
        chunk in prop::option::of(0_usize..(1 << 34)),
        depth in prop::option::of(0_usize..20),
        workgroup_size in 1_u32..1024,
        element_bytes in prop::sample::select(vec![8_usize, 32, 48, 96]),
        path in prop::sample::select(vec![
            PathChoice::Auto,
            PathChoice::Fixed(TransferPath::HostVisible),
            PathChoice::Fixed(TransferPath::DeviceLocal),
        ]),
        tuned in prop::option::of(1_usize..(1 << 34)),
    ) {
        let devices = [
            recorded::h200(), recorded::llvmpipe(), recorded::integrated(),
            recorded::uncached(), recorded::small_bar(),
        ];
        let caps = &devices[device];
        let work = Workload { total, largest_job: total, element_bytes, workgroup_size };
        let tuning = tuned.map_or(Tuning::default(), |chunk| measured(TransferPath::Bar, chunk));
        let plan = plan(caps, &tuning, &work, &Request { path, chunk, depth, packing: Packing::AcrossJobs }).unwrap();
        let bytes = (plan.chunk * element_bytes) as u64;
        let most = chunk.or(tuned.map(|_| usize::MAX)).unwrap_or(DEFAULT_CHUNK);
        prop_assert!(plan.chunk >= 1 && plan.chunk <= most.max(1));
        prop_assert!(bytes <= caps.limits.max_storage_buffer_range);
        prop_assert!(plan.chunk.div_ceil(workgroup_size as usize) <= caps.limits.max_workgroups_x as usize);
        prop_assert!(plan.depth >= 1 && plan.depth <= depth.unwrap_or(16).max(1));
        prop_assert!(plan.capacity >= plan.chunk.min(total));
        prop_assert!((plan.capacity * element_bytes) as u64 <= caps.limits.max_allocation);
        let operands = if plan.path == TransferPath::DeviceLocal { 6 } else { 3 };
        let staged = operands * (plan.depth * plan.capacity * element_bytes) as u64;
        prop_assert!(staged <= 2 * STAGING_BUDGET);
    }
}
