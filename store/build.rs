//! Migrations are built into the library: a new file must rebuild it.

fn main() {
    println!("cargo:rerun-if-changed=../migrations");
}
