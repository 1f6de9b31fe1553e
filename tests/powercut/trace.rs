//! What a server did to its database and told its clients, from a trace of its system calls.

use std::collections::HashMap;

/// One thing that it did, in the order in which it was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Deed {
    /// Bytes went to a place of a file.
    Write { file: String, at: usize, bytes: Vec<u8> },
    /// A file was cut or lengthened.
    Truncate { file: String, length: usize },
    /// What was written to a file before is on disk.
    Sync { file: String },
    /// A file was removed.
    Remove { file: String },
    /// A client was told that a job is stored.
    Answered { job: String },
}

/// Reads the output of `strace -f -y -xx`.
pub(super) fn read(trace: &str) -> Vec<Deed> {
    let (mut deeds, mut places, mut open) = (Vec::new(), HashMap::new(), HashMap::new());
    for line in trace.lines() {
        let Some((process, call)) = line.split_once(' ') else { continue };
        let call = call.trim_start();
        // An answer may have arrived before its call returned: it counts from the beginning of the call.
        if let Some(job) = answer(call) {
            deeds.push(Deed::Answered { job });
        }
        if let Some(begun) = call.strip_suffix(" <unfinished ...>") {
            open.insert(process.to_owned(), begun.to_owned());
            continue;
        }
        let whole = match call.strip_prefix("<... ") {
            None => call.to_owned(),
            Some(rest) => {
                let end = rest.split_once("resumed>").map_or("", |(_, end)| end);
                open.remove(process).unwrap_or_default() + end
            }
        };
        deeds.extend(deed(&whole, &mut places));
    }
    deeds
}

/// A call that has returned.
fn deed(call: &str, places: &mut HashMap<String, usize>) -> Option<Deed> {
    let (name, rest) = call.split_once('(')?;
    // What a call returned stands in a column of its own.
    let (arguments, returned) = rest.rsplit_once(" = ")?;
    let arguments = arguments.trim_end().strip_suffix(')')?;
    let returned: i64 = returned.split([' ', '<']).next()?.parse().ok()?;
    if returned < 0 {
        return None;
    }
    if matches!(name, "unlink" | "unlinkat") {
        let file = String::from_utf8(strings(arguments).pop()?).ok()?;
        return Some(Deed::Remove { file });
    }
    let (handle, file) = handle(arguments)?;
    match name {
        "lseek" => {
            places.insert(handle, returned as usize);
            None
        }
        "write" => {
            let at = places.entry(handle).or_default();
            let (from, bytes) = (*at, strings(arguments).pop()?);
            *at += returned as usize;
            Some(Deed::Write { file, at: from, bytes: bytes.get(..returned as usize)?.to_vec() })
        }
        "pwrite64" => {
            let at = arguments.rsplit(", ").next()?.parse().ok()?;
            let bytes = strings(arguments).pop()?.get(..returned as usize)?.to_vec();
            Some(Deed::Write { file, at, bytes })
        }
        "ftruncate" => Some(Deed::Truncate { file, length: arguments.rsplit(", ").next()?.parse().ok()? }),
        "fsync" | "fdatasync" => Some(Deed::Sync { file }),
        _ => None,
    }
}

/// `5</path/of/file>`: the number with the path, and the path. Sockets have none.
fn handle(arguments: &str) -> Option<(String, String)> {
    let (number, rest) = arguments.split_once('<')?;
    let file = rest.split_once('>')?.0;
    // With -xx paths are in hexadecimal as well.
    let file = if file.contains("\\x") { String::from_utf8(unhex(file)).ok()? } else { file.to_owned() };
    file.starts_with('/').then(|| (format!("{number}<{file}"), file))
}

/// The job that an answer to a submission names.
fn answer(call: &str) -> Option<String> {
    let is_sent = ["write(", "writev(", "sendto(", "sendmsg("].iter().any(|name| call.starts_with(name));
    if !is_sent || handle(call.split_once('(')?.1).is_some() {
        return None;
    }
    let sent: Vec<u8> = strings(call).concat();
    let sent = String::from_utf8_lossy(&sent);
    if !sent.starts_with("HTTP/1.1 201") {
        return None;
    }
    let (_, id) = sent.split_once("\"id\":\"")?;
    id.get(..36).map(str::to_owned)
}

/// Every quoted string of a call, decoded.
fn strings(call: &str) -> Vec<Vec<u8>> {
    call.split('"').skip(1).step_by(2).map(unhex).collect()
}

/// `\x41\x42` as bytes.
fn unhex(text: &str) -> Vec<u8> {
    text.split("\\x").skip(1).filter_map(|byte| u8::from_str_radix(byte.get(..2)?, 16).ok()).collect()
}

#[test]
fn calls_are_read_in_the_order_in_which_they_returned() {
    let trace = concat!(
        "7 lseek(5</a/db>, 4096, SEEK_SET) = 4096\n",
        "7 write(5</a/db>, \"\\x41\\x42\", 2) = 2\n",
        "7 fdatasync(5</a/db> <unfinished ...>\n",
        "8 pwrite64(6</a/db-wal>, \"\\x43\", 1, 32) = 1\n",
        "8 writev(9<socket:[11]>, [{iov_base=\"\\x48\\x54\\x54\\x50\\x2f\\x31\\x2e\\x31\\x20\\x34\", iov_len=10}], 1) = 10\n",
        "7 <... fdatasync resumed>)              = 0\n",
        "7 ftruncate(6</a/db-wal>, 0) = 0\n",
        "7 write(5</a/db>, \"\\x44\", 1) = 1\n",
        "7 write(5</a/db>, \"\\x44\", 1) = -1 ENOSPC (No space left on device)\n",
    );
    let (db, wal) = (|| "/a/db".to_owned(), || "/a/db-wal".to_owned());
    let expected = [
        Deed::Write { file: db(), at: 4096, bytes: b"AB".to_vec() },
        Deed::Write { file: wal(), at: 32, bytes: b"C".to_vec() },
        Deed::Sync { file: db() },
        Deed::Truncate { file: wal(), length: 0 },
        Deed::Write { file: db(), at: 4098, bytes: b"D".to_vec() },
    ];
    assert_eq!(read(trace), expected);
}
