//! A server over the memory store, for tests of the API's contract: `cargo run -p server --example memory -- 127.0.0.1:0`.

use std::{error::Error, sync::Arc};

use server::Config;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut config = Config::default();
    if let Some(listen) = std::env::args().nth(1) {
        config.listen = listen.parse()?;
    }
    let store = store::Memory::new(config.policy);
    let running = server::start(config, Arc::new(store)).await?;
    println!("listening on http://{}", running.addr);
    running.join().await;
    Ok(())
}
