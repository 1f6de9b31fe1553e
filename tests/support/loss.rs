//! A link that loses packets: the packet filter of the kernel drops some of those from and to a port.

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

/// Loses packets as long as it lives.
#[derive(Debug)]
pub(crate) struct Loss {
    table: String,
}

impl Loss {
    /// From and to a port of the loopback address, so many of a hundred. `None`, and a word on standard error, where there
    /// is no leave to.
    ///
    /// # Panics
    /// If the tool is not installed although `CI` says that nothing may be skipped.
    pub(crate) fn of(percent: u32, port: u16) -> Option<Self> {
        let table = format!("vesicle_test_{}_{port}", std::process::id());
        let dropped = format!("numgen random mod 100 < {percent} counter drop");
        let rules = format!(
            "table inet {table} {{\n chain lossy {{\n type filter hook input priority 0\n tcp dport {port} {dropped}\n tcp sport {port} {dropped}\n }}\n}}\n"
        );
        match filter(&rules) {
            Ok(()) => Some(Self { table }),
            Err(why) => {
                let must = std::env::var_os("CI").is_some() && why.kind() == std::io::ErrorKind::NotFound;
                assert!(!must, "loss of packets needs nftables: install it");
                eprintln!("skipped: loss of packets needs nftables and leave to filter (root): {why}");
                None
            }
        }
    }

    /// Packets that were lost so far.
    pub(crate) fn lost(&self) -> u64 {
        let list = Command::new("nft").args(["list", "table", "inet", &self.table]).output();
        let list = String::from_utf8(list.expect("it was there before").stdout).expect("it is ASCII");
        let counts = list.split("counter packets ").skip(1);
        counts.filter_map(|rest| rest.split_whitespace().next()?.parse::<u64>().ok()).sum()
    }
}

impl Drop for Loss {
    fn drop(&mut self) {
        let removed = filter(&format!("delete table inet {}\n", self.table));
        assert!(removed.is_ok() || std::thread::panicking(), "a table can be removed: {removed:?}");
    }
}

fn filter(rules: &str) -> std::io::Result<()> {
    let mut nft =
        Command::new("nft").args(["-f", "-"]).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    nft.stdin.take().expect("it is piped").write_all(rules.as_bytes())?;
    let output = nft.wait_with_output()?;
    let why = String::from_utf8_lossy(&output.stderr).lines().next().unwrap_or_default().to_owned();
    if output.status.success() { Ok(()) } else { Err(std::io::Error::other(why)) }
}
