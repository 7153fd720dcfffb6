//! The HTML part says what the text says, in its order, and nothing in it acts.

use proptest::prelude::*;

use super::super::template::{Brand, render, samples};
use super::*;

const BASE: &str = "https://tasuki.pref.example.jp";

fn brand() -> Brand {
    Brand {
        service_name: "伊予県デジタル人材シェアリング".to_owned(),
        subject_prefix: "専門家派遣".to_owned(),
        sender_organisation: "伊予県デジタル戦略課".to_owned(),
        base_url: format!("{BASE}/"),
    }
}

/// A tag with its attributes, by name and value.
type Tag = (String, Vec<(String, String)>);

/// Reads a document: its tags, and the text of its body. Written after the HTML standard's tokenizer as far as the output
/// goes; anything else in a document is a failure.
fn read(document: &str) -> (Vec<Tag>, String) {
    let mut rest = document.strip_prefix("<!doctype html>").unwrap();
    let (mut tags, mut text) = (Vec::new(), String::new());
    while let Some((before, after)) = rest.split_once('<') {
        text.push_str(&decoded(before));
        let (tag, after) = after.split_once('>').unwrap();
        rest = after;
        let (name, mut attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        let mut found = Vec::new();
        while let Some((key, value)) = attributes.split_once("=\"") {
            let (value, others) = value.split_once('"').unwrap();
            found.push((key.trim().to_owned(), decoded(value)));
            attributes = others;
        }
        assert_eq!(attributes.trim(), "", "{tag}");
        if name == "body" {
            text.clear();
        }
        text.push_str(if matches!(name, "strong" | "/strong" | "span" | "/span" | "a" | "/a") { "" } else { " " });
        tags.push((name.to_owned(), found));
    }
    assert_eq!(rest, "\n");
    (tags, text)
}

fn decoded(text: &str) -> String {
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#39;", "'");
    for entity in text.split('&').skip(1) {
        assert!(entity.starts_with("amp;"), "{text}");
    }
    text.replace("&amp;", "&")
}

/// Every visible character in its order.
fn visible(text: &str) -> String {
    text.chars().filter(|&c| !(c.is_whitespace() || c.is_control() || is_bidi_control(c))).collect()
}

/// The text without the rule, which becomes a line across the page.
fn without_rule(text: &str) -> String {
    let mut lines: Vec<&str> = text.split(['\n', '\r']).collect();
    if let Some(rule) = lines.iter().rposition(|line| line.trim_end() == RULE) {
        lines.remove(rule);
    }
    lines.join("\n")
}

/// What must hold of every document.
fn check(document: &str, text: &str) {
    let (tags, body) = read(document);
    assert_eq!(visible(&body), visible(&without_rule(text)), "{document}");
    for (name, attributes) in &tags {
        let known = [
            "html", "head", "meta", "title", "body", "div", "h1", "h2", "p", "br", "strong", "span", "table", "tbody", "tr",
            "th", "td", "a", "hr",
        ];
        assert!(known.contains(&name.trim_start_matches('/')), "{name}");
        for (key, value) in attributes {
            assert!(
                ["lang", "charset", "name", "content", "style", "scope", "aria-hidden", "href"].contains(&key.as_str()),
                "{key}"
            );
            assert!(key != "href" || value == BASE || value.starts_with(&format!("{BASE}/")), "{value}");
            assert!(key != "style" || !value.contains("url("), "{value}");
        }
    }
    let balance = |name: &str| tags.iter().filter(|(tag, _)| tag == name).count();
    for name in ["html", "head", "body", "div", "h1", "h2", "p", "strong", "span", "table", "tbody", "tr", "th", "td", "a"] {
        assert_eq!(balance(name), balance(&format!("/{name}")), "{name} in {document}");
    }
}

#[test]
fn every_notice_says_the_same_in_html() {
    for notice in samples() {
        for locale in [Locale::Ja, Locale::En] {
            let mail = render(&notice, locale, &brand());
            let document = html(&mail.subject, &mail.text, locale, &brand().base_url);
            check(&document, &mail.text);
            let links = document.matches("<a href=").count();
            assert_eq!(links, mail.text.lines().filter(|line| line.starts_with("https://")).count(), "{}", notice.event());
            assert_eq!(document.matches("<h1 ").count(), 1, "{}", notice.event());
            let lang = pick(locale, "<html lang=\"ja\">", "<html lang=\"en\">");
            assert!(document.contains(lang) && !document.contains("<img") && !document.contains("<style"), "{}", notice.event());
        }
    }
}

#[test]
fn facts_are_a_table_and_headings_are_headings() {
    let text = "派遣が決定しました（R8-0012）。\n【すること】下の日程を確認してください。\n\n高﨑 太郎 様\n\n番号：R8-0012\nテーマ：a：b\n\n\
                ■ 日程\n  1回目：午前\n  2回目：午後\n\n▼ 派遣の画面\nhttps://tasuki.pref.example.jp/dispatches/7?a=1&b=2\n\n\
                ----------------------------------------\n伊予県\n";
    let document = html("件名 <1>", text, Locale::Ja, BASE);
    check(&document, text);
    for expected in [
        "<title>件名 &lt;1&gt;</title>",
        ">派遣が決定しました（R8-0012）。</h1>",
        "><strong>【すること】</strong>下の日程を確認してください。</p>",
        ">番号：</th>\n",
        ">テーマ：</th>\n",
        ">a：b</td>\n",
        "><span aria-hidden=\"true\">■</span> 日程</h2>\n",
        ">1回目：午前<br>\n2回目：午後</p>\n",
        ">▼ 派遣の画面<br>\n<a href=\"https://tasuki.pref.example.jp/dispatches/7?a=1&amp;b=2\">https://tasuki.pref.example.jp/dispatches/7?a=1&amp;b=2</a></p>",
    ] {
        assert!(document.contains(expected), "{expected} in {document}");
    }
    assert_eq!(document.matches("<th scope=\"row\"").count(), 2);
}

#[test]
fn only_addresses_of_the_service_become_links() {
    let linked =
        |address: &str, base: &str| html("", &format!("a\n\nb 様\n\n▼ c\n{address}\n"), Locale::Ja, base).contains("<a href=");
    assert!(linked("https://tasuki.pref.example.jp/requests/1", BASE));
    assert!(linked("https://tasuki.pref.example.jp", "https://tasuki.pref.example.jp/"));
    for address in [
        "https://tasuki.pref.example.jp.evil.example/",
        "https://tasuki.pref.example.jp@evil.example/",
        "https://tasuki.pref.example.jp:8443/",
        "https://evil.example/?https://tasuki.pref.example.jp/",
        "http://tasuki.pref.example.jp/",
        "javascript:alert(1)",
        "https://tasuki.pref.example.jp/\"onclick=alert(1)",
        "https://tasuki.pref.example.jp/ 続き",
    ] {
        assert!(!linked(address, BASE), "{address}");
    }
    for base in ["", "/", "javascript:", "https://", "tasuki.pref.example.jp"] {
        assert!(!linked("javascript:alert(1)", base) && !linked("https://evil.example/", base), "{base:?}");
    }
    // What a person wrote is indented, and never a link.
    assert!(!html("", "a\n\nb 様\n\n■ c\n  https://tasuki.pref.example.jp/requests/1\n", Locale::Ja, BASE).contains("<a href="));
}

#[test]
fn what_would_act_in_html_is_text() {
    for polyglot in [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "'\"--></style></script><svg onload=alert(1)>",
        "javascript:/*--></title></style></textarea></script></xmp><svg/onload='+/\"/+/onmouseover=1/+/[*/[]/+alert(1)//'>",
        "&lt;script&gt; &#60;b&#62; &amp;amp; &nbsp",
        "</div></body></html><h1>x</h1>",
        "<!-- x --> <![CDATA[ x ]]> <?php x ?>",
        "{{7*7}} ${7*7} <%= 7*7 %>",
        "＜script＞ <\u{0}script>",
    ] {
        for text in [
            polyglot.to_owned(),
            format!(
                "a\n{polyglot}\n\n{polyglot}：{polyglot}\n\n■ {polyglot}\n  {polyglot}\n\n▼ {polyglot}\n{BASE}/{polyglot}\n\n{RULE}\n{polyglot}\n"
            ),
        ] {
            for locale in [Locale::Ja, Locale::En] {
                check(&html(polyglot, &text, locale, BASE), &text);
            }
        }
    }
}

proptest! {
    /// Every word of any text, in its order.
    #[test]
    fn every_word_of_the_text_is_there(pieces in prop::collection::vec(prop_oneof![
        Just("\n".to_owned()), Just("\n\n".to_owned()), Just("■ ".to_owned()), Just("▼ ".to_owned()), Just("【すること】".to_owned()),
        Just("番号：".to_owned()), Just("Number: ".to_owned()), Just("  ".to_owned()), Just(format!("{RULE}\n")),
        Just(format!("\n{BASE}/a?b=c&d")), Just("<b title='x'>&amp;".to_owned()), any::<String>(),
        prop::collection::vec(any::<char>(), 0..9).prop_map(String::from_iter),
    ], 0..30)) {
        let text = pieces.concat();
        for locale in [Locale::Ja, Locale::En] {
            check(&html(&text, &text, locale, BASE), &text);
        }
    }
}
