//! Settings of the server: `vesicle.toml` < `VESICLE_*` < flags.
//!
//! The names are the fields of [`server::Config`] and a few of our own, so a new field there is a setting at once:
//! `lease_ms` in the file, `VESICLE_LEASE_MS` in the environment.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use anyhow::{Context, anyhow, bail};
use clap::Args;
use serde_json::{Map, Value as Json, json};

use crate::{document, exit::Usage};

const FILE: &str = "vesicle.toml";

/// Settings that have a flag.
#[derive(Debug, Default, Args)]
pub(crate) struct ServerArgs {
    /// Address to listen on; port 0 takes a free one [env: VESICLE_LISTEN] [default: 127.0.0.1:7717]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<SocketAddr>,
    /// Folder of the database [env: VESICLE_HOME] [default: ~/.local/share/vesicle]
    #[arg(long, value_name = "FOLDER")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Postgres database to keep everything in, e.g. postgres://ann@db.example.org/vesicle; a password is better kept in
    /// ~/.pgpass or PGPASSWORD [env: VESICLE_DATABASE] [default: SQLite in the folder]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) database: Option<String>,
    /// Listen on another address than loopback, for everyone who can reach it: there is no log-in yet
    #[arg(long)]
    pub(crate) insecure_listen: bool,
    /// Time to live of a lease, in milliseconds [env: VESICLE_LEASE_MS] [default: 30000]
    #[arg(long, value_name = "MS")]
    pub(crate) lease_ms: Option<u64>,
    /// File of settings [default: vesicle.toml, if there is one]
    #[arg(long, value_name = "FILE", env = "VESICLE_CONFIG")]
    pub(crate) config: Option<PathBuf>,
}

/// Everything a server is started with.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) config: server::Config,
    pub(crate) data_dir: PathBuf,
    /// A Postgres database instead of SQLite in the folder.
    pub(crate) database: Option<String>,
}

impl ServerArgs {
    /// Reads file and environment, and lays the flags on top.
    ///
    /// # Errors
    /// Names the setting that cannot be used and where it comes from.
    pub(crate) fn settings(&self) -> anyhow::Result<Settings> {
        let file = match &self.config {
            Some(path) => document::read(path)?,
            None if Path::new(FILE).is_file() => document::read(Path::new(FILE))?,
            None => Map::new(),
        };
        let env = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let settings = layered(file, env, self.flags())?;
        Ok(Settings { config: with_test_switches(settings.config, env), ..settings })
    }

    fn flags(&self) -> Map<String, Json> {
        let flags = [
            ("listen", self.listen.map(|address| json!(address))),
            ("data_dir", self.data_dir.as_ref().map(|path| json!(path))),
            ("database", self.database.as_ref().map(|address| json!(address))),
            ("insecure_listen", self.insecure_listen.then_some(json!(true))),
            ("lease_ms", self.lease_ms.map(Json::from)),
        ];
        flags.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    }
}

/// Settings that are not the server crate's own.
const OURS: [&str; 9] = [
    "data_dir",
    "database",
    "backoff_ms",
    "backoff_cap_ms",
    "progress_ms",
    "progress_event_ms",
    "max_event_bytes",
    "max_metric_names",
    "max_metric_points",
];

fn layered(
    file: Map<String, Json>,
    env: impl Fn(&str) -> Option<String>,
    flags: Map<String, Json>,
) -> anyhow::Result<Settings> {
    let defaults = json!(server::Config::default());
    let mut layers: Vec<(String, String, Json)> = Vec::new();
    for (name, value) in file {
        layers.push((name, FILE.to_owned(), value));
    }
    let names = defaults.as_object().into_iter().flatten().map(|(name, _)| name.as_str());
    for name in names.chain(OURS) {
        let variable = variable(name);
        if let Some(text) = env(&variable) {
            layers.push((name.to_owned(), variable, from_text(&defaults[name], &text)));
        }
    }
    for (name, value) in flags {
        let flag = format!("--{}", name.replace('_', "-"));
        layers.push((name, flag, value));
    }
    let mut settled = Map::new();
    for (name, origin, value) in layers {
        // The address of a database may hold a password.
        let shown = if name == "database" { "not one".to_owned() } else { value.to_string() };
        check(&name, &value)
            .map_err(|rule| anyhow!(Usage(format!("setting `{name}` of {origin} is {shown}; {rule}"))))?;
        settled.insert(name, value);
    }
    settle(settled, &env)
}

fn variable(name: &str) -> String {
    match name {
        "data_dir" => "VESICLE_HOME".to_owned(),
        _ => format!("VESICLE_{}", name.to_uppercase()),
    }
}

/// Text of the environment in the type that the default has.
fn from_text(default: &Json, text: &str) -> Json {
    match default {
        Json::Bool(_) => json!(matches!(text, "1" | "true" | "yes")),
        Json::String(_) => json!(text),
        _ => text.parse::<u64>().map_or_else(|_| json!(text), Json::from),
    }
}

/// One setting by itself, so that a complaint can name it.
fn check(name: &str, value: &Json) -> Result<(), String> {
    match name {
        "data_dir" if value.is_string() => Ok(()),
        "data_dir" => Err("it must be a folder".into()),
        "database" if value.as_str().is_some_and(is_postgres) => Ok(()),
        "database" => Err("it must begin with postgres://; leave it out for SQLite in the folder".into()),
        _ if OURS.contains(&name) && value.is_u64() => Ok(()),
        _ if OURS.contains(&name) && name.ends_with("_ms") => {
            Err("it must be a number of milliseconds".into())
        }
        _ if OURS.contains(&name) => Err("it must be a number".into()),
        _ => serde_json::from_value::<server::Config>(json!({name: value}))
            .map(|_| ())
            .map_err(|e| e.to_string()),
    }
}

fn settle(mut settled: Map<String, Json>, env: &impl Fn(&str) -> Option<String>) -> anyhow::Result<Settings> {
    let [data_dir, database, backoff, backoff_cap, progress, progress_event, event, names, points] =
        OURS.map(|name| settled.remove(name));
    let mut config: server::Config = serde_json::from_value(Json::Object(settled)).context("settings")?;
    let number =
        |value: Option<Json>, default: u64| value.and_then(|value| value.as_u64()).unwrap_or(default);
    let policy = &mut config.policy;
    policy.lease_ms = config.lease_ms;
    policy.backoff_ms = number(backoff, policy.backoff_ms);
    policy.backoff_cap_ms = number(backoff_cap, policy.backoff_cap_ms);
    policy.progress_ms = number(progress, policy.progress_ms);
    policy.progress_event_ms = number(progress_event, policy.progress_event_ms);
    policy.event_bytes = number(event, policy.event_bytes as u64) as usize;
    policy.metric_names = number(names, policy.metric_names as u64) as usize;
    policy.metric_points = number(points, policy.metric_points);
    let data_dir = match data_dir.as_ref().and_then(Json::as_str) {
        Some(folder) => PathBuf::from(folder),
        None => default_data_dir(env)?,
    };
    let database = database.as_ref().and_then(Json::as_str).map(str::to_owned);
    Ok(Settings { config, data_dir, database })
}

fn is_postgres(address: &str) -> bool {
    address.starts_with("postgres://") || address.starts_with("postgresql://")
}

fn default_data_dir(env: &impl Fn(&str) -> Option<String>) -> anyhow::Result<PathBuf> {
    if let Some(data) = env("XDG_DATA_HOME") {
        return Ok(PathBuf::from(data).join("vesicle"));
    }
    match env("HOME") {
        Some(home) => Ok(PathBuf::from(home).join(".local/share/vesicle")),
        None => {
            bail!(Usage("there is no home directory; name a folder with --data-dir or VESICLE_HOME".into()))
        }
    }
}

/// `VESICLE_TEST_FENCE_OFF=1` lets reports of stale attempts through, so that tests of the offline checker can see
/// that it finds the damage.
#[cfg(debug_assertions)]
fn with_test_switches(mut config: server::Config, env: impl Fn(&str) -> Option<String>) -> server::Config {
    if env("VESICLE_TEST_FENCE_OFF").as_deref() == Some("1") {
        eprintln!(
            "warning: VESICLE_TEST_FENCE_OFF=1: STALE ATTEMPTS ARE NOT REFUSED; results of this server are void"
        );
        config.policy.fence = jobs::Fence::OffForTests;
    }
    config
}

/// A release build has no switch that could void its results.
#[cfg(not(debug_assertions))]
fn with_test_switches(config: server::Config, _env: impl Fn(&str) -> Option<String>) -> server::Config {
    config
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env<'a>(pairs: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<String> + 'a {
        move |name| pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    }

    fn object(value: Json) -> Map<String, Json> {
        value.as_object().cloned().expect("an object")
    }

    #[test]
    fn flags_beat_the_environment_and_that_beats_the_file() {
        let file = object(json!({"lease_ms": 1, "drain_ms": 2, "reap_ms": 3, "data_dir": "/file"}));
        let variables = [("VESICLE_DRAIN_MS", "20"), ("VESICLE_REAP_MS", "30"), ("VESICLE_BACKOFF_MS", "5")];
        let flags = object(json!({"reap_ms": 300, "listen": "127.0.0.1:0"}));
        let settings = layered(file, env(&variables), flags).expect("all of them can be used");
        let config = settings.config;
        assert_eq!((config.lease_ms, config.drain_ms, config.reap_ms), (1, 20, 300));
        assert_eq!((config.policy.lease_ms, config.policy.backoff_ms), (1, 5));
        assert_eq!((config.listen.port(), settings.data_dir), (0, PathBuf::from("/file")));
    }

    #[test]
    fn limits_are_settings_like_all_others() {
        let home =
            [("HOME", "/home/ann"), ("VESICLE_MAX_METRIC_NAMES", "7"), ("VESICLE_MAX_EVENT_STREAMS", "9")];
        let file = object(json!({"max_metric_points": 70, "max_queued_jobs": 90, "max_event_bytes": 80}));
        let config = layered(file, env(&home), Map::new()).expect("all of them can be used").config;
        assert_eq!((config.policy.metric_names, config.policy.metric_points), (7, 70));
        assert_eq!((config.max_event_streams, config.max_queued_jobs), (9, 90));
        assert_eq!(config.policy.event_bytes, 80);
        let file = object(json!({"max_metric_names": "many"}));
        let text = layered(file, env(&home[..1]), Map::new()).expect_err("it is bad").to_string();
        assert_eq!(text, "setting `max_metric_names` of vesicle.toml is \"many\"; it must be a number");
    }

    #[test]
    fn a_bad_setting_is_named_with_its_origin() {
        let complaint = |file: Json, variables: &[(&str, &str)]| {
            layered(object(file), env(variables), Map::new()).expect_err("it is bad").to_string()
        };
        let home = [("HOME", "/home/ann"), ("VESICLE_LEASE_MS", "soon")];
        let text = complaint(json!({}), &home);
        assert!(text.starts_with("setting `lease_ms` of VESICLE_LEASE_MS is \"soon\"; "), "{text}");
        let text = complaint(json!({"leese_ms": 3}), &home[..1]);
        assert!(text.starts_with("setting `leese_ms` of vesicle.toml is 3; "), "{text}");
        let text = complaint(json!({"listen": "here"}), &home[..1]);
        assert!(text.starts_with("setting `listen` of vesicle.toml is \"here\"; "), "{text}");
    }

    #[test]
    fn a_database_is_an_address_of_postgres_and_is_never_shown() {
        let home = [("HOME", "/home/ann"), ("VESICLE_DATABASE", "postgres://ann:secret@db/vesicle")];
        let settings = layered(Map::new(), env(&home), Map::new()).expect("it can be used");
        assert_eq!(settings.database.as_deref(), Some("postgres://ann:secret@db/vesicle"));
        let flags = object(json!({"database": "mysql://ann:secret@db/vesicle"}));
        let text = layered(Map::new(), env(&home), flags).expect_err("it cannot").to_string();
        assert!(text.starts_with("setting `database` of --database is not one; "), "{text}");
        assert!(!text.contains("secret"), "{text}");
    }

    #[test]
    fn the_data_folder_follows_the_conventions_of_the_system() {
        let folder = |pairs: &[(&str, &str)]| layered(Map::new(), env(pairs), Map::new()).map(|s| s.data_dir);
        assert_eq!(folder(&[("HOME", "/h")]).expect("a home"), PathBuf::from("/h/.local/share/vesicle"));
        assert_eq!(folder(&[("XDG_DATA_HOME", "/x")]).expect("a home"), PathBuf::from("/x/vesicle"));
        assert_eq!(folder(&[("VESICLE_HOME", "/v"), ("HOME", "/h")]).expect("a home"), PathBuf::from("/v"));
        assert!(folder(&[]).is_err());
    }
}
