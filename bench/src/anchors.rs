//! What this machine can do at best, for the roofline: clock, memory, generator, additions.

use std::hint::black_box;

use kernels::{
    ars,
    rows::{Lists, add_rows},
};

use crate::{
    cpu,
    line::{Line, Report},
    ratio::median,
    select::Selection,
};

const TURNS: usize = 7;
/// Sizes of the three arrays of the triad together: in L1, L2, L3 and memory.
const TRIAD_BYTES: [(&str, usize); 4] =
    [("24KiB", 24 << 10), ("1MiB", 1 << 20), ("16MiB", 16 << 20), ("384MiB", 384 << 20)];

/// Measures what is selected.
pub(crate) fn measure(selection: &Selection, report: &mut Report) {
    let mut push = |name: &str, unit, measure: &dyn Fn() -> f64| {
        let name = format!("anchors/{name}");
        if selection.wants(&name) {
            let values: Vec<f64> = (0..TURNS).map(|_| measure()).collect();
            report.push(Line::alone(name, median(&values), unit, true));
        }
    };
    push("clock", "cycles/CPU s", &clock);
    for (name, bytes) in TRIAD_BYTES {
        push(&format!("triad-{name}"), "bytes/CPU s", &|| triad(bytes));
    }
    push("ars", "bytes/CPU s", &generator);
    push("row-additions", "f32 additions/CPU s", &row_additions);
}

/// Shifts and additions that wait for each other take one cycle each; xorshift has six of them in a row.
fn clock() -> f64 {
    const ROUNDS: u32 = 10_000_000;
    let (seconds, _) = cpu::timed(|| {
        let rounds = black_box(ROUNDS);
        black_box((0..rounds).fold(0x9e37_79b9_7f4a_7c15_u64, |mut x, _| {
            x ^= x << 13;
            x ^= x >> 7;
            x ^ (x << 17)
        }))
    });
    6.0 * f64::from(ROUNDS) / seconds
}

/// `a = b + s c`: two arrays read, one written; `bytes` are those of all three.
pub(crate) fn triad(bytes: usize) -> f64 {
    const TRAFFIC: usize = 1 << 30;
    let n = bytes / 12;
    let (mut a, b, c) = (vec![0.0_f32; n], vec![1.0_f32; n], vec![2.0_f32; n]);
    let sweeps = TRAFFIC.div_ceil(12 * n);
    let mut sweep = || {
        let s = black_box(0.5);
        for ((a, b), c) in a.iter_mut().zip(&b).zip(&c) {
            *a = b + s * c;
        }
        black_box(&mut a);
    };
    sweep();
    let (seconds, ()) = cpu::timed(|| (0..sweeps).for_each(|_| sweep()));
    (sweeps * 12 * n) as f64 / seconds
}

/// Random bytes of the product's generator, into L1.
fn generator() -> f64 {
    const FILLS: u32 = 20_000;
    let mut words = vec![0_u32; 4096];
    let (seconds, ()) = cpu::timed(|| {
        for i in 0..FILLS {
            ars::fill::<7>([i, 0, 0, 0], [1, 2, 3, 4], &mut words);
            black_box(&mut words);
        }
    });
    4.0 * words.len() as f64 * f64::from(FILLS) / seconds
}

/// Sums of rows of a 128 x 64 tile that fits in L1, 40 rows a sum.
fn row_additions() -> f64 {
    const WIDTH: usize = 64;
    const ROWS: u32 = 128;
    const TAKEN: u32 = 40;
    const SUMS: u32 = 100;
    const ROUNDS: u32 = 500;
    let table = vec![1.0_f32; WIDTH * ROWS as usize];
    let starts: Vec<u32> = (0..=SUMS).map(|i| i * TAKEN).collect();
    let rows: Vec<u32> = (0..SUMS * TAKEN).map(|i| i * 3 % ROWS).collect();
    let mut sums = vec![0.0_f32; WIDTH * SUMS as usize];
    let (seconds, ()) = cpu::timed(|| {
        for _ in 0..ROUNDS {
            add_rows(&table, WIDTH, Lists::new(&starts, &rows), &mut sums);
            black_box(&mut sums);
        }
    });
    WIDTH as f64 * f64::from(SUMS * TAKEN) * f64::from(ROUNDS) / seconds
}
