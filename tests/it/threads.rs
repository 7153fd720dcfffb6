//! What hangs on a request: messages between the applicants and the office, and attached files.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::on_both;
use crate::support::client::Answer;
use crate::support::flow;
use crate::support::world::World;

fn attach(world: &World, request: &str, name: &str, media_type: &str, content: &[u8]) -> Answer {
    let body = json!({"file_name": name, "media_type": media_type, "content_base64": STANDARD.encode(content)});
    world.hamamatsu_staff.post(&format!("{request}/attachments"), &body)
}

on_both! {
    fn messages_go_to_the_other_side(app) {
        let world = World::new(app);
        let request = format!("/requests/{}", flow::submitted(&world));
        let thread = format!("{request}/messages");
        let write = |client: &crate::support::client::Client, text: &str| client.post(&thread, &json!({"body": text}));
        let office = |needle: &str| app.mails_to("coordinator@pref.example.jp").iter().filter(|sent| sent.mail.text.contains(needle)).count();
        let staff = |needle: &str| app.mails_to("staff@hamamatsu.example.jp").iter().filter(|sent| sent.mail.text.contains(needle)).count();
        write(&world.coordinator, "当日の参加人数を\n教えてください。").ok(200);
        assert_eq!((office("参加人数"), staff("参加人数")), (0, 1));
        write(&world.hamamatsu_staff, "12人です。").ok(200);
        assert_eq!((office("12人です。"), staff("12人です。")), (1, 0));
        // The same words once more are a second message and a second mail.
        write(&world.hamamatsu_staff, "12人です。").ok(200);
        assert_eq!(office("12人です。"), 2);
        assert_eq!(write(&world.hamamatsu_staff, "　\n").wrong(), ["/body required"]);
        assert_eq!(write(&world.hamamatsu_staff, "あ".repeat(10_001).as_str()).wrong(), ["/body too_long"]);
        assert_eq!(write(&world.kosai_staff, "よその申請").problem(404), "not_found");
        let first = world.hamamatsu_staff.get(&format!("{thread}?limit=2")).ok(200);
        assert_eq!(first["items"][0]["author_organisation_name"], "静岡県");
        let rest = world.hamamatsu_staff.get(&format!("{thread}?limit=2&cursor={}", first["next_cursor"].as_str().unwrap())).ok(200);
        let texts = |page: &Value| page["items"].as_array().unwrap().iter().map(|m| m["body"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
        assert_eq!([texts(&first), texts(&rest)].concat(), ["当日の参加人数を\n教えてください。", "12人です。", "12人です。"]);
        let other = world.hamamatsu_staff.get("/requests?limit=1").ok(200);
        assert_eq!(other.get("next_cursor"), None);
    }
}

on_both! {
    fn a_file_is_what_it_says_and_comes_back_byte_by_byte(app) {
        let world = World::new(app);
        let request = format!("/requests/{}", flow::draft(&world));
        let png: Vec<u8> = [b"\x89PNG\r\n\x1a\n".as_slice(), &[0, 255, 13, 10]].concat();
        for (name, media_type, content, wrong) in [
            ("絵.png", "image/png", b"GIF89a".as_slice(), "/content_base64 wrong_content"),
            ("絵.exe", "image/png", &png, "/file_name wrong_ending"),
            ("絵.svg", "image/svg+xml", b"<svg/>", "/media_type not_allowed"),
            ("表.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", b"PK\x03\x04nonsense", "/content_base64 wrong_content"),
            ("../表.csv", "text/csv", b"a,b", "/file_name not_a_file_name"),
            ("表\r\n.csv", "text/csv", b"a,b", "/file_name control_character"),
            ("空.txt", "text/plain", b"", "/content_base64 required"),
        ] {
            let answer = attach(&world, &request, name, media_type, content);
            assert_eq!(answer.problem(422), "validation_failed", "{name}");
            assert_eq!(answer.wrong(), [wrong], "{name}");
        }
        let broken = json!({"file_name": "a.txt", "media_type": "text/plain", "content_base64": "これは違う"});
        assert_eq!(world.hamamatsu_staff.post(&format!("{request}/attachments"), &broken).wrong(), ["/content_base64 not_base64"]);
        let id = flow::id(&attach(&world, &request, "現状の業務 \"フロー\"①.png", "image/png", &png), 201);
        let path = format!("{request}/attachments/{id}");
        let file = world.hamamatsu_staff.get(&path);
        assert_eq!((file.status, file.bytes.clone()), (200, png));
        assert_eq!(file.header("content-type"), Some("image/png"));
        assert_eq!(file.header("x-content-type-options"), Some("nosniff"));
        let disposition = file.header("content-disposition").unwrap().to_owned();
        assert!(disposition.starts_with("attachment; filename=\"") && disposition.is_ascii(), "{disposition}");
        let (_, encoded) = disposition.split_once("filename*=UTF-8''").unwrap();
        assert!(encoded.starts_with("%E7%8F%BE%E7%8A%B6") && encoded.contains("%22") && encoded.contains("%E2%91%A0"), "{encoded}");
        for client in [&world.kosai_staff, &world.stranger] {
            assert_eq!(client.get(&path).problem(404), "not_found");
        }
        // Not under another request, and not once the office has it.
        let other = flow::draft(&world);
        assert_eq!(world.hamamatsu_staff.get(&format!("/requests/{other}/attachments/{id}")).problem(404), "not_found");
        world.hamamatsu_staff.verb(&request, "submit", &json!({})).ok(200);
        assert_eq!(world.hamamatsu_staff.post(&format!("{path}/remove"), &json!({})).problem(409), "invalid_transition");
        assert_eq!(attach(&world, &request, "遅い.txt", "text/plain", b"late").problem(409), "invalid_transition");
        assert_eq!(world.coordinator.get(&format!("{request}/attachments")).ok(200)["items"].as_array().unwrap().len(), 1);
    }
}

on_both! {
    fn a_file_has_at_most_five_mebibytes(app) {
        let world = World::new(app);
        let request = format!("/requests/{}", flow::draft(&world));
        let mebibytes = 5 * 1024 * 1024;
        let largest = vec![b'a'; mebibytes];
        attach(&world, &request, "上限.txt", "text/plain", &largest).ok(201);
        let too_large = attach(&world, &request, "超過.txt", "text/plain", &vec![b'a'; mebibytes + 1]);
        assert!(matches!(too_large.status, 413 | 422), "{}", too_large.text());
        let list = world.hamamatsu_staff.get(&format!("{request}/attachments")).ok(200);
        assert_eq!((list["items"].as_array().unwrap().len(), &list["items"][0]["size_bytes"]), (1, &json!(mebibytes)));
    }
}
