use experiments::*;
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let kind = find(&args[1]).expect("kind");
    let preset = if args[2].is_empty() { None } else { Some(args[2].as_str()) };
    let overrides: serde_json::Value = serde_json::from_str(&args[3]).unwrap();
    let (a, b): (u64, u64) = (args[4].parse().unwrap(), args[5].parse().unwrap());
    let data = if preset.is_some() || args.len() > 6 {
        let dec = |f: &str| {
            let mut d = IdxDecoder::new(1 << 30);
            d.push(&std::fs::read(f).unwrap()).unwrap();
            d.finish().unwrap()
        };
        let root = "/work/shared/data/mnist/";
        images_from_idx(
            dec(&format!("{root}train-images-idx3-ubyte.gz")),
            Some(dec(&format!("{root}train-labels-idx1-ubyte.gz"))),
            Some((
                dec(&format!("{root}t8k-images-idx3-ubyte.gz")),
                Some(dec(&format!("{root}t8k-labels-idx1-ubyte.gz"))),
            )),
            255,
        )
        .unwrap()
    } else {
        digits8x8()
    };
    for seed in a..=b {
        let params = kind.resolve(preset, overrides.as_object().unwrap()).unwrap();
        let t = std::time::Instant::now();
        let mut run = kind
            .start(Setup { params, seed, data: data.clone(), sources: vec![], every: Some(1 << 40) })
            .unwrap();
        let mut last = vec![];
        let mut worst = 0.0f64;
        loop {
            let t = std::time::Instant::now();
            match run.advance() {
                Advance::Stepped => {
                    worst = worst.max(t.elapsed().as_secs_f64());
                }
                Advance::Observed(m) => last = m,
                Advance::Done(_) => break,
            }
        }
        println!(
            "== seed {seed} steps {} {:.1} s, longest step {worst:.3} s",
            run.steps(),
            t.elapsed().as_secs_f64()
        );
        for m in last {
            match m.value {
                Value::Scalar(x) => println!("{} {x:.4}", m.name),
                Value::Array(a)
                    if a.kind == ValueKind::Vector && a.dtype == Dtype::F32 && a.data.len() < 200 =>
                {
                    println!(
                        "{} {:?}",
                        m.name,
                        a.data
                            .chunks(4)
                            .map(|c| format!("{:.4}", f32::from_le_bytes(c.try_into().unwrap())))
                            .collect::<Vec<_>>()
                            .join(" ")
                    )
                }
                _ => {}
            }
        }
    }
}
