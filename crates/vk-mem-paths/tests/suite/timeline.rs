//! The timeline of timed runs on a real device, and the spans that a
//! subscriber sees.

use std::io::{BufRead, BufReader, Seek};
use std::mem::MaybeUninit;
use std::time::{Duration, Instant};

use field_kernels::ELEMENT_BYTES;
use tracing_subscriber::fmt::format::FmtSpan;
use vk_mem_paths::{Job, Packing, Request, Span, StageKind, Stats, TransferPath};

use crate::transfer::{Loop, request};

const CHUNK: usize = 3_000;
const CHUNKS: usize = 7;

/// Runs [`CHUNKS`] chunks, the last one smaller, and says how long it took.
fn run(on: &mut Loop, path: TransferPath, depth: usize) -> (Stats, Duration) {
    let bytes = ((CHUNKS - 1) * CHUNK + 5) * ELEMENT_BYTES;
    let (a, b) = (vec![1; bytes], vec![2; bytes]);
    let mut out = vec![MaybeUninit::uninit(); bytes];
    let job = Job {
        a: &a,
        b: &b,
        out: &mut out,
        fresh: false,
    };
    let request = Request {
        packing: Packing::AcrossJobs,
        ..request(path, CHUNK, depth)
    };
    let start = Instant::now();
    let ran = on
        .transfer
        .run(&on.kernel, &request, ELEMENT_BYTES, &mut [job]);
    (ran.unwrap().1, start.elapsed())
}

fn timed(timestamps: bool) -> Loop {
    Loop::with(std::convert::identity, timestamps)
}

fn by_chunk(stats: &Stats) -> Vec<Vec<Span>> {
    let chunks = (0..CHUNKS).map(|chunk| {
        let of_chunk = stats.timeline.iter().filter(|span| span.chunk == chunk);
        let mut spans: Vec<_> = of_chunk.copied().collect();
        spans.sort_by_key(|span| span.stage);
        spans
    });
    chunks.collect()
}

fn in_order(spans: &[Span]) -> bool {
    spans.iter().all(|span| span.start <= span.end)
        && spans.windows(2).all(|pair| pair[0].end <= pair[1].start)
}

#[test]
fn every_chunk_goes_through_its_stages_in_order_and_they_add_up() {
    use StageKind::{CopyIn, CopyOut, Download, Kernel, Upload};
    let mut timed = timed(true);
    for (path, stages) in [
        (TransferPath::HostVisible, &[CopyIn, Kernel, CopyOut][..]),
        (
            TransferPath::DeviceLocal,
            &[CopyIn, Upload, Kernel, Download, CopyOut],
        ),
    ] {
        for depth in [1, 2, 3, 6] {
            let (stats, total) = run(&mut timed, path, depth);
            let what = format!("{path}, depth {depth}: {:?}", stats.timeline);
            assert_eq!(stats.timeline.len(), CHUNKS * stages.len(), "{what}");
            for spans in by_chunk(&stats) {
                let found: Vec<_> = spans.iter().map(|span| span.stage).collect();
                assert_eq!(found, stages, "{what}");
                assert!(in_order(&spans), "{what}");
                assert!(spans.iter().all(|span| span.slot == spans[0].slot));
                assert!(spans.iter().all(|span| span.end <= total), "{what}");
            }
            let overlap = stats.overlap().unwrap();
            assert!((1.0..=5.0).contains(&overlap), "{overlap}: {what}");
            if depth == 1 {
                assert!((overlap - 1.0).abs() < 1e-9, "{overlap}: {what}");
            }
            // A slot copies for one chunk at a time.
            for slot in 0..depth {
                let host =
                    |span: &&Span| [CopyIn, CopyOut].contains(&span.stage) && span.slot == slot;
                let mut spans: Vec<_> = stats.timeline.iter().filter(host).copied().collect();
                spans.sort_by_key(|span| span.start);
                assert!(in_order(&spans), "{spans:?}");
            }
            assert!(stats.timeline.iter().all(|span| span.slot < depth));
            // All of it adds up to the times.
            let sum = |stage: StageKind| -> Duration {
                let spans = stats.timeline.iter().filter(|span| span.stage == stage);
                spans.map(|span| span.end - span.start).sum()
            };
            assert_eq!(sum(CopyIn), stats.times.copy_in);
            assert_eq!(sum(CopyOut), stats.times.copy_out);
            // Cut off where the device's clock does not agree with the host's.
            assert!(sum(Kernel) <= stats.times.kernel.unwrap());
        }
    }
}

#[test]
fn without_timestamps_there_is_no_timeline() {
    let (stats, _) = run(&mut timed(false), TransferPath::HostVisible, 3);
    assert_eq!(stats.chunks, CHUNKS);
    assert_eq!((stats.timeline.capacity(), stats.overlap()), (0, None));
}

#[test]
fn a_subscriber_sees_the_run_and_the_stages_of_every_chunk() {
    let mut transfer = timed(false);
    let mut log = tempfile::tempfile().unwrap();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(FmtSpan::CLOSE)
        .with_ansi(false)
        .with_writer(log.try_clone().unwrap())
        .finish();
    tracing::subscriber::with_default(subscriber, || {
        run(&mut transfer, TransferPath::HostVisible, 3)
    });
    log.rewind().unwrap();
    let lines: Vec<_> = BufReader::new(log).lines().map(Result::unwrap).collect();
    for chunk in 0..CHUNKS {
        for stage in ["copy in", "submit", "wait", "copy out"] {
            let elements = if chunk < CHUNKS - 1 { CHUNK } else { 5 };
            let span = format!(":{stage}{{chunk={chunk} elements={elements}}}");
            let inside = |line: &&String| line.contains("run{") && line.contains(&span);
            let count = lines.iter().filter(inside).count();
            assert_eq!(count, 1, "{span}: {lines:#?}");
        }
    }
}
