//! Generates the wire's Rust from the `.proto` files, without `protoc`.

use std::{env, fs, path::PathBuf};

const FILES: [&str; 3] = ["vesicle/v1/common.proto", "vesicle/v1/worker.proto", "vesicle/v1/jobs.proto"];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for file in FILES {
        println!("cargo::rerun-if-changed={file}");
    }
    let descriptors = protox::compile(FILES, ["."])?;
    let out = PathBuf::from(env::var("OUT_DIR")?).join("descriptors.bin");
    fs::write(out, prost::Message::encode_to_vec(&descriptors))?;
    tonic_prost_build::configure().codec_path("crate::codec::Codec").compile_fds(descriptors)?;
    Ok(())
}
