//! The architecture as a test: what `ARCHITECTURE.md` and `CONTRIBUTING.md` promise is held against the files.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const MOST_LINES: usize = 400;
const MOST_LINES_WITH_TESTS: usize = 500;

/// Our crates that each crate may name, as in the table of `ARCHITECTURE.md`.
const MAY_DEPEND_ON: [(&str, &[&str]); 10] = [
    ("bench", &["experiments", "gang", "kernels", "numerics", "proto"]),
    ("crates/kernels", &[]),
    ("crates/numerics", &["kernels"]),
    ("crates/experiments", &["numerics"]),
    ("crates/gang", &["experiments", "numerics"]),
    ("crates/jobs", &["numerics"]),
    ("proto", &["jobs"]),
    ("store", &["jobs"]),
    ("worker", &["experiments", "gang", "jobs", "proto"]),
    ("server", &["experiments", "jobs", "proto", "store"]),
];

/// What a pure crate must not name: runtimes, I/O, clocks.
const IMPURE: [&str; 10] = [
    "tokio",
    "std::fs",
    "std::net",
    "std::env::",
    "SystemTime",
    "Instant::now",
    "thread_local!",
    "reqwest",
    "sqlx",
    "rayon",
];

fn read(path: impl AsRef<Path>) -> String {
    let path = path.as_ref();
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Files below a folder with one of these endings, generated ones and what git ignores left out.
fn files(folder: &str, endings: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(ROOT).join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the project can be read").flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            let name = name.to_string_lossy();
            if path.is_dir() && !name.starts_with('.') && name != "target" && name != "node_modules" {
                folders.push(path);
            } else if endings.iter().any(|ending| name.ends_with(ending)) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn relative(path: &Path) -> String {
    path.strip_prefix(ROOT).expect("the file is below the root").display().to_string()
}

#[test]
fn crates_depend_only_on_those_that_the_table_allows() {
    let ours: BTreeSet<&str> =
        MAY_DEPEND_ON.iter().map(|(folder, _)| folder.trim_start_matches("crates/")).collect();
    let page = read(format!("{ROOT}/ARCHITECTURE.md"));
    for (folder, allowed) in MAY_DEPEND_ON {
        let manifest: toml::Table =
            read(format!("{ROOT}/{folder}/Cargo.toml")).parse().expect("a manifest is TOML");
        let named = manifest["dependencies"].as_table().expect("dependencies are a table");
        for dependency in named.keys().filter(|name| ours.contains(name.as_str())) {
            assert!(allowed.contains(&dependency.as_str()), "{folder} must not depend on {dependency}");
        }
        let name = folder.trim_start_matches("crates/");
        let row = page.lines().find(|line| line.starts_with(&format!("| `{name}` |")));
        let row = row.unwrap_or_else(|| panic!("ARCHITECTURE.md has no row for {name}"));
        assert!(allowed.iter().all(|dependency| row.contains(&format!("`{dependency}`"))), "{row}");
    }
}

#[test]
fn pure_crates_name_nothing_impure() {
    for folder in ["crates/kernels/src", "crates/numerics/src", "crates/experiments/src", "crates/jobs/src"] {
        for file in files(folder, &[".rs"]) {
            let text = read(&file);
            for word in IMPURE {
                assert!(!text.contains(word), "{} names `{word}`", relative(&file));
            }
        }
    }
}

#[test]
fn files_are_short() {
    for file in files("", &[".rs", ".js", ".mjs", ".py"]) {
        let text = read(&file);
        let has_tests = text.contains("#[cfg(test)]") || relative(&file).contains("tests");
        let most = if has_tests { MOST_LINES_WITH_TESTS } else { MOST_LINES };
        let lines = text.lines().count();
        assert!(
            lines <= most,
            "{} has {lines} lines; at most {most}: it is more than one idea",
            relative(&file)
        );
    }
}

#[test]
fn unsafe_code_is_forbidden_everywhere_but_in_kernels() {
    for folder in [
        "crates/numerics",
        "crates/experiments",
        "crates/gang",
        "crates/jobs",
        "proto",
        "store",
        "worker",
        "server",
    ] {
        let root = read(format!("{ROOT}/{folder}/src/lib.rs"));
        assert!(root.contains("#![forbid(unsafe_code)]"), "{folder} must forbid unsafe code");
    }
    for root in ["src", "bench/src"] {
        assert!(read(format!("{ROOT}/{root}/main.rs")).contains("#![forbid(unsafe_code)]"));
    }
}

#[test]
fn every_experiment_folder_is_in_the_catalogue_with_page_findings_and_golden_digests() {
    let folder = Path::new(ROOT).join("crates/experiments/src");
    let listed: BTreeSet<String> =
        experiments::CATALOGUE.iter().map(|kind| kind.name().replace('-', "_")).collect();
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(&folder).expect("the folder can be read").flatten() {
        if entry.path().join("golden.json").exists() || entry.path().join("findings.toml").exists() {
            for file in ["mod.rs", "README.md", "findings.toml", "golden.json"] {
                assert!(entry.path().join(file).exists(), "{} lacks {file}", relative(&entry.path()));
            }
            found.insert(entry.file_name().to_string_lossy().into_owned());
        }
    }
    assert_eq!(found, listed);
}

#[test]
fn the_makefile_runs_every_integration_test_of_the_crates() {
    let makefile = read(format!("{ROOT}/Makefile"));
    let unit =
        makefile.lines().find_map(|line| line.strip_prefix("UNIT := ")).expect("the Makefile lists them");
    let listed: BTreeSet<String> = unit.split_whitespace().map(str::to_owned).collect();
    let mut found = BTreeSet::new();
    for (folder, _) in MAY_DEPEND_ON {
        for entry in fs::read_dir(format!("{ROOT}/{folder}/tests")).into_iter().flatten().flatten() {
            let path = entry.path();
            let has_its_own_list = Path::new(ROOT).join(folder).join("tests/main.rs").exists();
            let is_target = if has_its_own_list {
                path.ends_with("main.rs")
            } else {
                path.join("main.rs").exists() || path.extension().is_some_and(|ending| ending == "rs")
            };
            if is_target {
                found.insert(path.file_stem().expect("a file has a name").to_string_lossy().into_owned());
            }
        }
    }
    assert_eq!(found, listed);
}

#[test]
fn every_test_with_a_long_form_is_in_the_list_of_the_makefile() {
    let makefile = read(format!("{ROOT}/Makefile"));
    let listed = makefile.lines().find_map(|line| line.strip_prefix("PROMISES := ")).expect("it lists them");
    let listed: BTreeSet<String> = listed.split_whitespace().map(str::to_owned).collect();
    // Those of `tests/load` have a command of their own.
    let found = files("tests", &[".rs"]).into_iter().filter(|file| {
        !relative(file).starts_with("tests/load") && read(file).contains(concat!("times", "("))
    });
    let stem = |file: PathBuf| file.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let found: BTreeSet<String> = found.filter_map(stem).filter(|name| name != "asked").collect();
    let missing: Vec<_> = found.difference(&listed).collect();
    assert!(missing.is_empty(), "`make reliability` leaves them out: {missing:?}");
}

#[test]
fn every_command_that_the_makefile_declares_has_a_rule() {
    let makefile = read(format!("{ROOT}/Makefile"));
    let phony =
        makefile.lines().find_map(|line| line.strip_prefix(".PHONY: ")).expect("commands are declared");
    let has_rule = |name: &str| {
        let rule = format!("{name}:");
        makefile.lines().any(|line| line.strip_prefix(&rule).is_some_and(|rest| !rest.starts_with('=')))
    };
    let missing: Vec<&str> = phony.split_whitespace().filter(|name| !has_rule(name)).collect();
    assert!(missing.is_empty(), "declared without a rule: {missing:?}");
    let with_help = makefile.lines().filter_map(|line| line.split_once(": ##")).map(|(name, _)| name);
    let undeclared: Vec<&str> =
        with_help.filter(|name| !phony.split_whitespace().any(|declared| declared == *name)).collect();
    assert!(undeclared.is_empty(), "rules with help that are not declared: {undeclared:?}");
}

#[test]
fn the_tree_of_the_architecture_page_is_the_real_tree() {
    let page = read(format!("{ROOT}/ARCHITECTURE.md"));
    let tree = page.split("```").nth(1).expect("the page shows a tree");
    let shown: BTreeSet<&str> = tree
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| name.ends_with('/'))
        .collect();
    for folder in &shown {
        assert!(Path::new(ROOT).join(folder).is_dir(), "{folder} is shown but not there");
    }
    for entry in
        fs::read_dir(ROOT).expect("the root can be read").flatten().filter(|entry| entry.path().is_dir())
    {
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_shown = shown.iter().any(|folder| folder.split('/').next() == Some(&name));
        assert!(is_shown || [".git", "target"].contains(&name.as_str()), "{name}/ is not in the tree");
    }
}

#[test]
fn nobody_sleeps_in_tests_and_no_bare_allow_stands() {
    for file in files("", &[".rs"]) {
        let (text, name) = (read(&file), relative(&file));
        if name == "tests/tidy.rs" {
            continue;
        }
        assert!(!text.contains("#[allow("), "{name}: `#[expect(lint, reason = \"…\")]` instead of `allow`");
        let tests = text.find("#[cfg(test)]").map(|at| &text[at..]);
        let tests = if name.contains("tests") { Some(&text[..]) } else { tests };
        let sleeps = tests.is_some_and(|tests| tests.contains("thread::sleep("));
        assert!(!sleeps, "{name}: a test waits for a condition, not for a time");
    }
}

#[test]
fn the_readme_shows_the_two_commands_and_documents_link_to_files_that_are_there() {
    let readme = read(format!("{ROOT}/README.md"));
    assert!(readme.contains("make run") && readme.contains("make test"));
    for page in files("", &[".md"]) {
        let (text, folder) = (read(&page), page.parent().expect("a file is in a folder").to_owned());
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = link.split('#').next().unwrap_or_default();
            let is_file = !target.is_empty() && !target.contains("://") && !target.starts_with("mailto:");
            assert!(!is_file || folder.join(target).exists(), "{}: {link} is not there", relative(&page));
        }
    }
}
