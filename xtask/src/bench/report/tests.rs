use super::*;
use crate::bench::suite_output::tests::{measurement, output};
use crate::bench::suite_output::{Measurement, sort};

fn measured() -> Vec<Measurement> {
    let mut all = Vec::new();
    for (elements, gpu, cpu, gain) in [(64, 1e6, 1e7, 2.0), (4096, 2e8, 1e8, 1.25)] {
        for reused in ["", ", reused"] {
            let mut push = |group: &str, name: &str, rate| {
                all.push(measurement(
                    group,
                    &format!("{name}{reused}"),
                    elements,
                    rate,
                ));
            };
            push("batch", "pipelined, 4 jobs", gain * gpu);
            push("batch", "sequential, 4 jobs", gpu);
            push("cpu", "blst, all threads", cpu);
            push("paths", "pipelined", gpu);
        }
        let shared = "host buffers, direct";
        all.push(measurement("paths", shared, elements, 2.0 * gpu));
        all.push(measurement("auto", "auto, 1 job, reused", elements, gpu));
        let fixed = "device-local, 1 job, reused";
        all.push(measurement("auto", fixed, elements, 0.9 * gpu));
        all.push(measurement("cpu", "blst, 1 thread", elements, 9e9));
        all.push(measurement("kernel", "add", elements, 25e9));
        all.push(measurement("vectors", "fr add", elements, 25e9));
        all.push(measurement("vectors", "fr sum", elements, 50e9));
        all.push(measurement("check", "CPU, checked, reused", elements, cpu));
        all.push(measurement(
            "check",
            "CPU, unchecked, reused",
            elements,
            gain * cpu,
        ));
        all.push(measurement("overhead", "one_shot", elements, gpu / 100.0));
        all.push(measurement("overhead", "persistent", elements, gpu));
    }
    sort(&mut all);
    all
}

#[test]
fn the_headline_sets_each_figure_beside_its_limit_or_peer() {
    let lines = headline(&output(measured()));
    for wanted in [
        "add, 4K elements in device memory: 3600 GB/s, 25G elements/s; \
         copy in device memory: 4000 GB/s; 90.0 %",
        "fr add of vectors that stay, 4K elements, submission and wait: 2400 GB/s, 25G elements/s; \
         copy in device memory: 4000 GB/s; 60.0 %",
        "fastest path, one job of 4K, fresh results: 200M elements/s; \
         copies both ways at once: 368M elements/s; 54.3 %",
        "pipelining at its best, 4 jobs of 64, fresh results: 0.032 ms; sequential: 0.064 ms; 2.00 x",
        "fastest path, one job of 4K, reused results: 200M elements/s; \
         fastest on the CPU, all threads: 100M elements/s; 2.00 x",
        "host buffers, direct, one job of 4K: 400M elements/s; \
         bus, each way by itself: 500M elements/s; 80.0 %",
        "host buffers, one job of 4K: 400M elements/s; \
         fastest on the CPU, all threads: 100M elements/s; 4.00 x",
        "inputs checked on the CPU at its worst, 4 jobs of 64: 0.006 ms; unchecked: 0.003 ms; \
         0.500 x",
        "chosen path within 5 % of the fastest fixed one: 2 of 2 batches; \
         target: all of them; 100 %",
        "call on a kept backend, 64 elements: 0.064 ms; with a new backend: 6.40 ms; 100 x",
    ] {
        assert!(
            lines.iter().any(|line| line == wanted),
            "{wanted}: {lines:#?}"
        );
    }
}

#[test]
fn the_page_holds_source_plots_and_table_and_loads_nothing() {
    let html = page(&output(measured())).unwrap();
    assert_eq!(html.matches("<svg").count(), 8);
    for wanted in [
        "abc123",
        "a &lt;driver&gt;",
        "cargo xtask bench",
        "limit: copy in device memory",
        "<td>device-local</td><td class=\"number\">0.900</td>",
    ] {
        assert!(html.contains(wanted), "{wanted}");
    }
    assert!(html.contains("device, fresh: ahead from 1.53K"));
    assert!(html.contains("not figures to publish"));
    for source in ["src=", "href=", "@import", "url("] {
        assert!(!html.contains(source), "{source}");
    }
}

#[test]
fn groups_that_were_not_measured_have_no_plot() {
    let cpu: Vec<_> = measured()
        .into_iter()
        .filter(|one| one.group == "cpu")
        .collect();
    let mut cpu = output(cpu);
    cpu.runs.clear();
    let html = page(&cpu).unwrap();
    assert_eq!(html.matches("<svg").count(), 1);
    assert!(paths_svg(&cpu).unwrap().is_none());
    let svg = paths_svg(&output(measured())).unwrap().unwrap();
    assert!(svg.contains("revision abc123"));
}
