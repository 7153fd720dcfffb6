//! The command from outside: files in, text and exit codes out.

use clap::{Args as _, Command, FromArgMatches as _};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::matching::allocation::search::plan;

struct Run {
    outcome: Outcome,
    out: String,
    messages: String,
}

fn execute(args: &AllocateArgs) -> Run {
    let (mut out, mut messages) = (Vec::new(), Vec::new());
    let outcome = run(args, &mut out, &mut messages);
    Run { outcome, out: String::from_utf8(out).unwrap(), messages: String::from_utf8(messages).unwrap() }
}

fn arguments(line: &[&str]) -> Result<AllocateArgs, clap::Error> {
    let command = AllocateArgs::augment_args(Command::new("allocate"));
    command.debug_assert_ok();
    let matches = AllocateArgs::augment_args(Command::new("allocate")).try_get_matches_from(line)?;
    AllocateArgs::from_arg_matches(&matches)
}

trait DebugAssert {
    fn debug_assert_ok(self);
}

impl DebugAssert for Command {
    fn debug_assert_ok(self) {
        self.debug_assert();
    }
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str, text: &[u8]) -> PathBuf {
        let file = self.0.path().join(name);
        std::fs::write(&file, text).unwrap();
        file
    }
}

fn planning(instance: PathBuf) -> AllocateArgs {
    AllocateArgs { instance: Some(instance), work: 50, ..AllocateArgs::default() }
}

#[test]
fn the_arguments_are_what_they_say() {
    assert!(arguments(&["allocate"]).is_err());
    assert!(arguments(&["allocate", "a.json", "b.json"]).is_err());
    assert!(arguments(&["allocate", "--check", "a.json"]).is_err());
    assert!(arguments(&["allocate", "a.json", "--work", "0"]).is_err());
    assert!(arguments(&["allocate", "--check", "a.json", "b.json", "--output", "c"]).is_err());
    let check = arguments(&["allocate", "--check", "a.json", "b.json", "--json"]).unwrap();
    assert!(check.check && check.json && check.result == Some(PathBuf::from("b.json")));
    let plan = arguments(&["allocate", "a.json", "--time-limit", "60", "--work", "1000"]).unwrap();
    assert_eq!((plan.time_limit, plan.work), (Some(60), 1000));
    assert!(arguments(&["allocate", "--schemas", "."]).is_ok());
}

#[test]
fn a_plan_is_told_written_and_checked() {
    let folder = Folder::new();
    let instance = folder.file("instance.json", schema::EXAMPLE.as_bytes());
    let output = folder.0.path().join("result.json");
    let told = execute(&AllocateArgs { output: Some(output.clone()), ..planning(instance.clone()) });
    assert_eq!(told.outcome, Outcome::Done, "{}", told.messages);
    for part in ["依頼5件のうち", "never_served", "証明済", "105 候補者のいない依頼: 候補の専門家がいません", "全段で最適と証明"]
    {
        assert!(told.out.contains(part), "{part}: {}", told.out);
    }
    let check = AllocateArgs { check: true, result: Some(output.clone()), ..planning(instance.clone()) };
    let checked = execute(&check);
    assert_eq!(checked.outcome, Outcome::Done, "{}", checked.messages);
    assert!(checked.out.contains("証明書を計算し直しました") && checked.out.contains("全段で最適です"), "{}", checked.out);
    let json = execute(&AllocateArgs { json: true, ..check.clone() });
    assert_eq!(serde_json::from_str::<Value>(&json.out).unwrap()["optimal"], json!(true));
    let printed = execute(&AllocateArgs { json: true, ..planning(instance.clone()) });
    assert_eq!(printed.out, std::fs::read_to_string(&output).unwrap());
    let without = execute(&AllocateArgs { json: true, without_certificate: true, ..planning(instance) });
    assert!(serde_json::from_str::<Value>(&without.out).unwrap().get("certificate").is_none());
    let mut wrong: Value = serde_json::from_str(&printed.out).unwrap();
    wrong["levels"][0]["value"] = json!(77);
    std::fs::write(&output, wrong.to_string()).unwrap();
    let refused = execute(&check);
    assert_eq!((refused.outcome, refused.out.as_str()), (Outcome::Failed, ""));
    assert!(refused.messages.contains("levels"), "{}", refused.messages);
}

#[test]
fn wrong_input_is_named_in_full_and_is_not_a_wrong_result() {
    let folder = Folder::new();
    let mut document: Value = serde_json::from_str(schema::EXAMPLE).unwrap();
    document["bodies"][0]["served"] = json!(-1);
    document["edges"][0]["score"] = json!("high");
    let instance = folder.file("instance.json", document.to_string().as_bytes());
    let run = execute(&planning(instance));
    assert_eq!(run.outcome, Outcome::WrongInput);
    assert!(run.messages.contains("/bodies/0/served") && run.messages.contains("/edges/0/score"), "{}", run.messages);
    assert_eq!(execute(&planning(folder.0.path().join("none.json"))).outcome, Outcome::WrongInput);
    let good = folder.file("good.json", schema::EXAMPLE.as_bytes());
    let result = folder.file("result.json", b"{\"format\": 1}");
    let run = execute(&AllocateArgs { check: true, result: Some(result), ..planning(good.clone()) });
    assert_eq!(run.outcome, Outcome::WrongInput);
    let nowhere = AllocateArgs { output: Some(folder.0.path().join("none").join("x")), ..planning(good) };
    assert_eq!(execute(&nowhere).outcome, Outcome::Failed);
    assert_eq!(execute(&AllocateArgs::default()).outcome, Outcome::WrongInput);
}

#[test]
fn a_clock_that_stops_the_search_is_told() {
    // With less money the best plan without limits does not keep them.
    let example = schema::EXAMPLE.replace("\"yen\": 140000", "\"yen\": 130000");
    let problem = Instance::from_json(example.as_bytes()).unwrap().problem().unwrap();
    let full = plan(&problem, 1_000).unwrap();
    assert!(!full.stopped && full.solves > 1, "this needs a search");
    let (planned, by_clock) = solve(&problem, 1_000, &|| true).unwrap();
    assert!(by_clock && planned.stopped);
    let (planned, by_clock) = solve(&problem, 1_000, &|| false).unwrap();
    assert_eq!((planned, by_clock), (full, false));
}

#[test]
fn the_committed_schemas_are_those_of_the_types() {
    let folder = Folder::new();
    let run = execute(&AllocateArgs { schemas: Some(folder.0.path().to_owned()), ..AllocateArgs::default() });
    assert_eq!(run.outcome, Outcome::Done, "{}", run.messages);
    for (name, _) in schema::schemas() {
        let committed = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi").join(name));
        let written = std::fs::read_to_string(folder.0.path().join(name)).unwrap();
        assert_eq!(committed.unwrap_or_default(), written, "{name}: run `tasuki allocate --schemas openapi`");
    }
}

/// Every place in a document.
fn places(value: &Value, here: &str, all: &mut Vec<String>) {
    all.push(here.to_owned());
    match value {
        Value::Array(items) => items.iter().enumerate().for_each(|(at, item)| places(item, &format!("{here}/{at}"), all)),
        Value::Object(members) => members.iter().for_each(|(name, item)| places(item, &format!("{here}/{name}"), all)),
        _ => {}
    }
}

fn anything() -> impl Strategy<Value = Value> {
    let number = prop_oneof![
        Just(json!(0)),
        Just(json!(-1)),
        Just(json!(1)),
        Just(json!(2)),
        Just(json!(12)),
        Just(json!(1440)),
        Just(json!(4_294_967_295_u32)),
        Just(json!(i64::MAX)),
        Just(json!(u64::MAX)),
        Just(json!(1.5)),
        any::<i64>().prop_map(|number| json!(number)),
        (0_i64..2_000).prop_map(|number| json!(number)),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(|truth| json!(truth)),
        number,
        ".{0,8}".prop_map(|text| json!(text)),
        Just(json!("2026-06-10")),
        Just(json!("9999-12-31")),
        Just(json!("+262142-12-31")),
        Just(json!([])),
        Just(json!({})),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| prop::collection::vec(inner, 0..3).prop_map(Value::Array))
}

fn changed(mut document: Value, changes: &[(prop::sample::Index, Value, u8)]) -> Value {
    for (at, value, how) in changes {
        let mut all = Vec::new();
        places(&document, "", &mut all);
        let place = all[at.index(all.len())].clone();
        let Some((parent, name)) = place.rsplit_once('/') else { continue };
        let Some(parent) = document.pointer_mut(parent) else { continue };
        match (parent, how % 4) {
            (Value::Array(items), 0) => drop(items.remove(name.parse::<usize>().unwrap())),
            (Value::Array(items), 1) => items.push(items[name.parse::<usize>().unwrap()].clone()),
            (Value::Object(members), 0) => drop(members.remove(name)),
            (Value::Object(members), 1) => drop(members.insert("x".to_owned(), value.clone())),
            (Value::Array(items), _) => items[name.parse::<usize>().unwrap()] = value.clone(),
            (Value::Object(members), _) => drop(members.insert(name.to_owned(), value.clone())),
            _ => {}
        }
    }
    document
}

fn changes() -> impl Strategy<Value = Vec<(prop::sample::Index, Value, u8)>> {
    prop::collection::vec((any::<prop::sample::Index>(), anything(), any::<u8>()), 1..4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn no_instance_makes_it_panic_and_the_schema_says_what_the_reader_says(changes in changes()) {
        let document = changed(serde_json::from_str(schema::EXAMPLE).unwrap(), &changes);
        let mut found = crate::matching::allocation::instance::Mistakes::default();
        schema::mistakes(&schema::instance(), &document, &mut found);
        let read = Instance::from_json(document.to_string().as_bytes());
        // Whoever keeps to the schema is read, and what is read beside it is refused later. Only where the schema wants an
        // object, serde takes its members as a list as well.
        let found = found.into_vec();
        prop_assert!(!found.is_empty() || read.is_ok(), "{:?}", read);
        let listed = found.iter().all(|one| one.code == "type" && one.en.ends_with("object"));
        prop_assert!(listed || read.map_or(true, |instance| instance.convert().is_err()), "{:?}", found);
        let folder = Folder::new();
        let run = execute(&planning(folder.file("instance.json", document.to_string().as_bytes())));
        prop_assert_eq!(run.outcome == Outcome::Done, run.messages.is_empty(), "{}", run.messages);
        prop_assert_ne!(run.outcome, Outcome::Failed, "{}", run.messages);
    }

    #[test]
    fn no_result_makes_it_panic(changes in changes()) {
        let folder = Folder::new();
        let instance = folder.file("instance.json", schema::EXAMPLE.as_bytes());
        let honest = execute(&AllocateArgs { json: true, ..planning(instance.clone()) }).out;
        let document = changed(serde_json::from_str(&honest).unwrap(), &changes);
        let result = folder.file("result.json", document.to_string().as_bytes());
        let run = execute(&AllocateArgs { check: true, result: Some(result), ..planning(instance) });
        prop_assert_eq!(run.outcome == Outcome::Done, run.messages.is_empty(), "{}", run.messages);
    }

    #[test]
    fn no_bytes_make_it_panic(at in any::<prop::sample::Index>(), bytes in prop::collection::vec(any::<u8>(), 0..6)) {
        let mut text = schema::EXAMPLE.as_bytes().to_vec();
        let at = at.index(text.len());
        text.splice(at..at + bytes.len().min(text.len() - at), bytes);
        let folder = Folder::new();
        let run = execute(&planning(folder.file("instance.json", &text)));
        prop_assert_ne!(run.outcome, Outcome::Failed);
    }
}
