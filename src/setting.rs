//! Params on the command line: `--set key=value`, `--grid key=a,b`, `--seeds 1..3`.

use serde_json::{Map, Value as Json, json};

/// `key=value`: the value is JSON where it parses as JSON, text elsewhere, so that `model=A` needs no quotes.
///
/// # Errors
/// If there is no `=` or nothing before it.
pub(crate) fn assignment(text: &str) -> Result<(String, Json), String> {
    let (key, value) = split(text)?;
    Ok((key, parse(value)))
}

/// `key=a,b,c`: a list of values.
///
/// # Errors
/// If there is no `=` or nothing on one of its sides.
pub(crate) fn grid(text: &str) -> Result<(String, Vec<Json>), String> {
    let (key, values) = split(text)?;
    if values.is_empty() {
        return Err(format!("`{key}` has no values; write {key}=1,2"));
    }
    // As JSON first: it knows the commas inside of lists and quotes.
    let values = serde_json::from_str(&format!("[{values}]"))
        .unwrap_or_else(|_| values.split(',').map(|value| parse(value.trim())).collect());
    Ok((key, values))
}

/// `1..3` (1, 2 and 3), `1,5,9` or `7`, as a job writes seeds.
///
/// # Errors
/// If it is none of these.
pub(crate) fn seeds(text: &str) -> Result<Json, String> {
    let bad = || format!("`{text}` is no list of seeds; write 1..3 or 1,5,9");
    let one = |text: &str| text.trim().parse::<u64>().map_err(|_| bad());
    if let Some((from, to)) = text.split_once("..") {
        let (from, to) = (one(from)?, one(to.trim_start_matches('='))?);
        let count = to.checked_sub(from).ok_or_else(bad)?.saturating_add(1);
        return Ok(json!({"from": from, "count": count}));
    }
    text.split(',').map(one).collect::<Result<Vec<u64>, String>>().map(|seeds| json!(seeds))
}

/// Seeds as [`seeds`] writes them, one by one.
pub(crate) fn each_seed(seeds: &Json) -> Vec<u64> {
    match (seeds["from"].as_u64(), seeds["count"].as_u64()) {
        (Some(from), Some(count)) => (from..from.saturating_add(count)).collect(),
        _ => seeds.as_array().into_iter().flatten().filter_map(Json::as_u64).collect(),
    }
}

/// Sets `a.b.c` inside an object; what is in the way makes room, the schema will name the field.
pub(crate) fn set_path(params: &mut Map<String, Json>, path: &str, value: Json) {
    let Some((head, rest)) = path.split_once('.') else {
        params.insert(path.to_owned(), value);
        return;
    };
    let inner = params.entry(head.to_owned()).or_insert_with(|| json!({}));
    if !inner.is_object() {
        *inner = json!({});
    }
    set_path(inner.as_object_mut().expect("it was made one above"), rest, value);
}

fn split(text: &str) -> Result<(String, &str), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().to_owned(), value)),
        _ => Err(format!("`{text}` is no setting; write key=value")),
    }
}

fn parse(text: &str) -> Json {
    serde_json::from_str(text).unwrap_or_else(|_| Json::from(text))
}

/// `METRIC`, `METRIC=max` or `METRIC=min`.
pub(crate) fn goal(text: &str) -> Result<Json, String> {
    let (metric, goal) = text.split_once('=').unwrap_or((text, "max"));
    match goal {
        "max" | "min" => Ok(serde_json::json!({"metric": metric, "goal": goal})),
        _ => Err(format!("`{goal}` is not a goal; it must be max or min")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_json_where_they_can_be() {
        let cases = [
            ("r=10", json!(10)),
            ("p0=0.5", json!(0.5)),
            ("model=A", json!("A")),
            ("on=true", json!(true)),
            ("sizes=[1,2]", json!([1, 2])),
            ("name=\"1\"", json!("1")),
            ("text=a=b", json!("a=b")),
            ("empty=", json!("")),
        ];
        for (text, value) in cases {
            assert_eq!(assignment(text).expect(text).1, value);
        }
    }

    #[test]
    fn a_setting_without_name_or_value_is_refused() {
        assert!(assignment("r").is_err());
        assert!(assignment("=1").is_err());
        assert!(grid("r=").is_err());
    }

    #[test]
    fn grids_split_at_the_commas_of_json() {
        assert_eq!(grid("r=10,16").expect("numbers"), ("r".into(), vec![json!(10), json!(16)]));
        assert_eq!(grid("model=A,B").expect("names").1, [json!("A"), json!("B")]);
        assert_eq!(grid("layers=[1,2],[3]").expect("lists").1, [json!([1, 2]), json!([3])]);
        assert_eq!(grid("x=A, 1").expect("both").1, [json!("A"), json!(1)]);
    }

    #[test]
    fn seeds_are_a_range_or_a_list() {
        assert_eq!(seeds("1..3"), Ok(json!({"from": 1, "count": 3})));
        assert_eq!(seeds("1,5"), Ok(json!([1, 5])));
        assert_eq!(seeds("7"), Ok(json!([7])));
        assert!(seeds("3..1").is_err() && seeds("a").is_err() && seeds("").is_err());
        assert_eq!(each_seed(&json!({"from": 2, "count": 2})), [2, 3]);
        assert_eq!(each_seed(&json!([4, 1])), [4, 1]);
    }

    #[test]
    fn dots_lead_into_objects() {
        let mut params = Map::new();
        set_path(&mut params, "a.b", json!(1));
        set_path(&mut params, "a.c", json!(2));
        set_path(&mut params, "d", json!(3));
        assert_eq!(Json::Object(params), json!({"a": {"b": 1, "c": 2}, "d": 3}));
    }
}
