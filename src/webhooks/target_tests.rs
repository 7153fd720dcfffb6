//! The zoo of addresses that mean something else than they look like.

use proptest::prelude::*;

use super::*;

fn problems(text: &str, rules: &TargetRules) -> Vec<&'static str> {
    match Target::parse(text, rules) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.into_iter().map(TargetProblem::code).collect(),
    }
}

fn public(text: &str) -> Vec<&'static str> {
    problems(text, &TargetRules::default())
}

fn inside(http_inside: bool) -> TargetRules {
    TargetRules {
        allow: AllowList::parse(&["10.20.0.0/16", "127.0.0.0/8"]).unwrap(),
        http_inside,
        ports: vec![80, 443, 8080, 8443],
    }
}

#[test]
fn every_spelling_of_a_refused_address_is_refused() {
    for host in [
        "127.0.0.1",
        "127.0.0.1.",
        "127.1",
        "127.0.1",
        "0x7f.1",
        "0x7f.1.",
        "0x7f000001",
        "0X7F.0.0.0x1",
        "0177.0.0.1",
        "017700000001",
        "2130706433",
        "1",
        "0",
        "0.0.0.0",
        "%31%32%37.0.0.1",
        "１２７.０.０.１",
        "①②⑦.0.0.1",
        "127。0。0。1",
        "169.254.169.254",
        "0xa9fea9fe",
        "2852039166",
        "10.0.0.1",
        "192.168.1.1",
        "100.100.100.200",
        "168.63.129.16",
        "[::]",
        "[::1]",
        "[0:0:0:0:0:0:0:1]",
        "[::127.0.0.1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::ffff:169.254.169.254]",
        "[64:ff9b::a9fe:a9fe]",
        "[2002:7f00:1::]",
        "[fe80::1]",
        "[fd00:ec2::254]",
        "localhost",
        "LOCALHOST.",
        "a.localhost",
        "ⓛocalhost",
    ] {
        assert_eq!(public(&format!("https://{host}/")), ["url_address_refused"], "{host}");
    }
}

#[test]
fn what_is_no_address_of_an_endpoint_is_told_by_its_code() {
    for (text, codes) in [
        ("", &["url_malformed"] as &[_]),
        ("hooks.example.jp", &["url_malformed"]),
        ("//hooks.example.jp/", &["url_malformed"]),
        ("https:hooks.example.jp", &["url_malformed"]),
        ("https:///hooks.example.jp", &["url_malformed"]),
        ("https://", &["url_malformed"]),
        ("https://?x", &["url_malformed"]),
        ("https://[::1", &["url_malformed"]),
        ("https://[fe80::1%25eth0]/", &["url_malformed"]),
        ("https://256.256.256.256/", &["url_malformed"]),
        ("https://1.2.3.4.5/", &["url_malformed"]),
        ("https://hooks.example.jp:99999/", &["url_malformed"]),
        ("https://ho%00oks.example.jp/", &["url_malformed"]),
        ("https://ho%2foks.example.jp/", &["url_malformed"]),
        ("ftp://hooks.example.jp/", &["url_malformed"]),
        ("file:///etc/passwd", &["url_malformed"]),
        ("gopher://hooks.example.jp:443/", &["url_malformed"]),
        ("javascript:alert(1)//://", &["url_malformed"]),
        (" https://hooks.example.jp/", &["url_character"]),
        ("https://hooks.example.jp/\n", &["url_character"]),
        ("https://hooks.exa\tmple.jp/", &["url_character"]),
        ("https:\\\\hooks.example.jp/", &["url_character"]),
        ("https://hooks.example.jp\\@127.0.0.1/", &["url_character"]),
        ("https://hooks.example.jp/\u{3000}", &["url_character"]),
        ("http://hooks.example.jp/", &["url_port", "url_https_required"]),
        ("http://hooks.example.jp:443/", &["url_https_required"]),
        ("https://user@hooks.example.jp/", &["url_user_info"]),
        ("https://user:secret@hooks.example.jp/", &["url_user_info"]),
        ("https://:@hooks.example.jp/", &["url_user_info"]),
        ("https://hooks.example.jp@127.0.0.1/", &["url_user_info", "url_address_refused"]),
        ("https://hooks.example.jp/#part", &["url_fragment"]),
        ("https://hooks.example.jp/#", &["url_fragment"]),
        ("https://hooks.example.jp:22/", &["url_port"]),
        ("https://hooks.example.jp:0/", &["url_port"]),
        ("https://a..jp/", &["url_host_name"]),
        ("https://./", &["url_host_name"]),
        ("https://hooks.example.jp../", &["url_host_name"]),
        ("https://-a.example.jp/", &["url_host_name"]),
        ("https://a!b.example.jp/", &["url_host_name"]),
        ("http://u@10.0.0.1:22/#x", &["url_user_info", "url_fragment", "url_port", "url_address_refused"]),
    ] {
        assert_eq!(public(text), codes, "{text:?}");
    }
    let long = |bytes: usize| format!("https://hooks.example.jp/{}", "a".repeat(bytes - 25));
    assert_eq!(public(&long(URL_MAX)), [""; 0]);
    assert_eq!(public(&long(URL_MAX + 1)), ["too_long"]);
    assert_eq!(public(&format!("https://hooks.example.jp/{}", "é".repeat(500))), ["too_long"], "it grows when encoded");
    assert_eq!(public(&format!("https://{}.jp/", "a".repeat(64))), ["url_host_name"]);
    assert_eq!(public(&format!("https://{}jp/", "abcdefg.".repeat(32))), ["url_host_name"]);
}

#[test]
fn a_good_address_is_kept_in_one_form() {
    for (text, kept) in [
        ("https://hooks.example.jp", "https://hooks.example.jp/"),
        ("HTTPS://Hooks.Example.JP:443/a/../b?x=1", "https://hooks.example.jp/b?x=1"),
        ("https://hooks.example.jp./in", "https://hooks.example.jp/in"),
        ("https://hooks.example.jp:8443/in", "https://hooks.example.jp:8443/in"),
        ("https://日本語.jp/受信", "https://xn--wgv71a119e.jp/%E5%8F%97%E4%BF%A1"),
        ("https://8.8.8.8/", "https://8.8.8.8/"),
        ("https://[2001:4860:4860:0::8888]/", "https://[2001:4860:4860::8888]/"),
        ("https://hooks.example.jp/a|b?q={'^`}", "https://hooks.example.jp/a|b?q={%27^`}"),
    ] {
        let target = Target::parse(text, &TargetRules::default()).unwrap();
        assert_eq!(target.as_str(), kept);
        assert!(target.is_https());
        assert_eq!(Target::parse(kept, &TargetRules::default()), Ok(target), "the kept form is stable");
    }
}

#[test]
fn printing_an_address_hides_what_may_be_a_token() {
    let target = Target::parse("https://hooks.example.jp:8443/T0K3N?key=s3cret", &TargetRules::default()).unwrap();
    assert_eq!(format!("{target:?}"), "Target(https://hooks.example.jp:8443)");
}

#[test]
fn the_operator_opens_networks_and_with_a_second_word_plain_http_in_them() {
    for text in ["https://10.20.1.1/", "https://127.0.0.1:8443/", "https://localhost/", "https://intranet:8080/"] {
        assert_eq!(problems(text, &inside(false)), [""; 0], "{text}");
    }
    for text in
        ["http://10.20.1.1/", "http://[::ffff:10.20.1.1]:8080/", "http://localhost/", "http://intranet.lgwan.example:8080/"]
    {
        assert_eq!(problems(text, &inside(true)), [""; 0], "{text}");
        assert_eq!(problems(text, &inside(false)), ["url_https_required"], "{text}");
    }
    assert_eq!(problems("http://8.8.8.8/", &inside(true)), ["url_https_required"], "never outside");
    assert_eq!(problems("http://10.21.0.1/", &inside(true)), ["url_address_refused"]);
    let nothing_inside = TargetRules { allow: AllowList::default(), ..inside(true) };
    assert_eq!(problems("http://intranet.lgwan.example/", &nothing_inside), ["url_https_required"]);
}

proptest! {
    #[test]
    fn reading_an_address_never_panics(text in "(https?:/{0,3})?\\PC{0,80}") {
        let _ = Target::parse(&text, &TargetRules::default());
        let _ = Target::parse(&text, &inside(true));
    }

    #[test]
    fn what_passes_has_one_host_for_everybody(text in "https://[a-z0-9.@:%\\[\\]_#?/-]{1,24}") {
        if let Ok(target) = Target::parse(&text, &TargetRules::default()) {
            prop_assert_eq!(target.uri().host(), target.url.host_str());
            let host = target.uri().host().unwrap().trim_matches(['[', ']']);
            if let Ok(address) = host.parse::<IpAddr>() {
                prop_assert_eq!(crate::webhooks::ranges::forbidden(address), None);
            }
            prop_assert_eq!(Target::parse(target.as_str(), &TargetRules::default()), Ok(target));
        }
    }

    #[test]
    fn an_address_in_any_notation_is_judged_as_the_address_it_is(bits in any::<u32>(), form in 0_u8..6) {
        let [a, b, c, d] = bits.to_be_bytes();
        let host = match form {
            0 => format!("{a}.{b}.{c}.{d}"),
            1 => bits.to_string(),
            2 => format!("{bits:#x}"),
            3 => format!("0{a:o}.{b:#x}.{}", u16::from_be_bytes([c, d])),
            4 => format!("[::ffff:{a}.{b}.{c}.{d}]"),
            _ => format!("{a}.{b}.{c}.{d}."),
        };
        let refused = crate::webhooks::ranges::forbidden(IpAddr::from([a, b, c, d])).is_some();
        prop_assert_eq!(Target::parse(&format!("https://{host}/"), &TargetRules::default()).is_err(), refused, "{}", host);
    }
}
